"""One message: a label and a list of tensors, with nothing executable in it.

    u16 length of label | label, UTF-8 | u8 tensors | for each tensor: u8 dtype | u8 dims | u64 × dims |
    raw bytes

Integers are big-endian, tensor data little-endian in C order. A decoder trusts nothing: unknown
dtypes, too many dimensions, sizes that overrun the message and trailing bytes are refused.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.channel.transport import Buffer
from saferoom.errors import PeerError, ShapeError

DTYPES = tuple(np.dtype(name) for name in ("|u1", "<u2", "<u4", "<u8", "<i4", "<i8", "<f4", "<f8", "|b1"))
_CODES = {dtype: code for code, dtype in enumerate(DTYPES)}
MAX_DIMS = 4
MAX_TENSORS = 255
MAX_LABEL_BYTES = 512


def encode(label: str, tensors: Sequence[NDArray[Any]]) -> list[Buffer]:
    """The message as a list of buffers; tensor data is not copied where it is contiguous already."""
    name = label.encode()
    if len(name) > MAX_LABEL_BYTES or len(tensors) > MAX_TENSORS:
        raise ShapeError("label or tensor list too long for one message", step=label)
    parts: list[Buffer] = [struct.pack(">H", len(name)) + name + struct.pack(">B", len(tensors))]
    for tensor in tensors:
        plain = np.ascontiguousarray(tensor)
        little = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        if little.dtype not in _CODES or tensor.ndim > MAX_DIMS:
            raise ShapeError(
                f"cannot send a tensor of {tensor.dtype} with {tensor.ndim} dimensions", step=label
            )
        head = struct.pack(f">BB{tensor.ndim}Q", _CODES[little.dtype], tensor.ndim, *tensor.shape)
        parts.append(head)
        if little.size:
            parts.append(memoryview(little.reshape(-1).view(np.uint8)))  # type: ignore[arg-type]
    return parts


def label_of(start: Buffer) -> str:
    """The label of a message, from its first bytes; "" if they hold none. For error texts."""
    (size,) = struct.unpack_from(">H", start) if len(start) >= 2 else (0,)
    return bytes(start[2 : 2 + min(size, MAX_LABEL_BYTES)]).decode(errors="replace")


def decode(message: Buffer) -> tuple[str, list[NDArray[Any]]]:
    """Label and tensors; the tensors are read-only views of `message`. Raises PeerError on garbage."""
    try:
        return _decode(memoryview(message))
    except (struct.error, UnicodeDecodeError, ValueError, IndexError) as error:
        raise PeerError("a message that is not in the tensor format") from error


def _decode(view: memoryview) -> tuple[str, list[NDArray[Any]]]:
    (label_bytes,) = struct.unpack_from(">H", view, 0)
    at = 2 + label_bytes
    if label_bytes > MAX_LABEL_BYTES or at >= len(view):
        raise ValueError("label overruns the message")
    label = bytes(view[2:at]).decode()
    count = view[at]
    at += 1
    tensors = []
    for _ in range(count):
        code, dims = struct.unpack_from(">BB", view, at)
        if code >= len(DTYPES) or dims > MAX_DIMS:
            raise ValueError("unknown dtype or too many dimensions")
        shape = struct.unpack_from(f">{dims}Q", view, at + 2)
        at += 2 + 8 * dims
        size_bytes = math.prod(shape) * DTYPES[code].itemsize
        if size_bytes > len(view) - at:
            raise ValueError("tensor overruns the message")
        flat = np.frombuffer(view[at : at + size_bytes], dtype=DTYPES[code])
        flat.flags.writeable = False
        tensors.append(flat.reshape(shape))
        at += size_bytes
    if at != len(view):
        raise ValueError("bytes after the last tensor")
    return label, tensors
