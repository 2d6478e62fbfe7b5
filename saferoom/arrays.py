"""The kinds of array that the code names: one alias each, so that a signature says what stands in it."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]

Mask: TypeAlias = NDArray[np.bool_]
"""Which of some rows or columns."""
Ids: TypeAlias = NDArray[np.bytes_]
"""Ids of enterprises, cleaned."""
Bits: TypeAlias = NDArray[np.uint8]
"""Bits, packed eight to a byte."""
Words: TypeAlias = NDArray[Any]
"""Ring elements: uint64, or uint32 where a modulus of 2**32 suffices."""
