"""Python's values as Arrow text: numbers in their shortest exact form, None as a gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_QUICK = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating)


def as_texts(values: Sequence[Any]) -> pa.Array:
    """One chunk of a column. Raises pa.ArrowException, UnicodeError: binary values, or no text."""
    try:
        array = pa.array(values)
        if any(is_kind(array.type) for is_kind in _QUICK):
            return pc.cast(array, pa.string())
    except (pa.ArrowException, UnicodeError, OverflowError):
        pass  # a mix of types, as SQLite and Excel allow: one by one below
    return pa.array([_as_text(value) for value in values], pa.string())


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        raise pa.ArrowInvalid("binary value")
    return str(int(value)) if isinstance(value, bool) else str(value)
