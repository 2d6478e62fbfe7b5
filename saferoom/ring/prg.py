"""Pseudo-random words: AES-128 in counter mode, one key for each (seed, label).

    key = BLAKE2b-128(label, key=seed)        counter from 0, advancing with every word drawn

A stream draws each counter value once; two labels never share a key. Speed is that of AES-NI
(several GB/s), so a mask is cheaper to expand again than to keep.
Source: NIST SP 800-38A §6.5 (CTR), RFC 7693 (BLAKE2 keyed).
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import DTypeLike, NDArray

from saferoom.errors import ShapeError

SEED_BYTES = 32
_ZEROS = bytes(1 << 18)
_ZEROS_VIEW = memoryview(_ZEROS)
_SHORT_BYTES = 1 << 14


class Stream:
    """An advancing stream of uniform words under one seed and one label."""

    def __init__(self, seed: bytes, label: str) -> None:
        if len(seed) != SEED_BYTES:
            raise ShapeError(f"a seed has {SEED_BYTES} bytes, got {len(seed)}")
        key = hashlib.blake2b(label.encode(), key=seed, digest_size=16, person=b"saferoom-prg").digest()
        self._cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def words(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.uint64) -> NDArray[Any]:
        """Fresh uniform words of an unsigned `dtype`, little-endian on every machine."""
        kind = np.dtype(dtype).newbyteorder("<")
        count = shape if isinstance(shape, int) else math.prod(shape)
        flat = np.empty(count, dtype=kind)
        _draw(self._cipher, flat)
        return flat.astype(np.dtype(dtype), copy=False).reshape(shape)


class Expander:
    """Uniform words of any label under one seed, each label a counter range of its own.

    AES-128-CTR with the counter block  8 bytes of BLAKE2b(label, key=seed) | 8 bytes of block number.
    `nonce` gives the first half, so that a caller can refuse to expand it twice. One cipher serves all
    short draws: setting one up takes longer than a short draw itself.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ShapeError(f"a seed has {SEED_BYTES} bytes, got {len(seed)}")
        self._seed = seed
        key = hashlib.blake2b(key=seed, digest_size=16, person=b"saferoom-expand").digest()
        self._algorithm = algorithms.AES(key)
        self._blocks = Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305 - of distinct counters

    def nonce(self, label: str) -> bytes:
        """8 bytes that stand for the label."""
        return hashlib.blake2b(
            label.encode(), key=self._seed, digest_size=8, person=b"saferoom-label"
        ).digest()

    def words(self, nonce: bytes, shape: int | tuple[int, ...], dtype: DTypeLike = np.uint64) -> NDArray[Any]:
        """The words of a nonce, from the first on: the same every time."""
        kind = np.dtype(dtype).newbyteorder("<")
        count = shape if isinstance(shape, int) else math.prod(shape)
        size_bytes = count * kind.itemsize
        if size_bytes > _SHORT_BYTES:
            cipher = Cipher(self._algorithm, modes.CTR(nonce + bytes(8))).encryptor()
            flat = np.empty(count, dtype=kind)
            _draw(cipher, flat)
        else:
            flat = np.frombuffer(self._short(nonce, size_bytes), dtype=kind, count=count)
        return flat.astype(np.dtype(dtype), copy=False).reshape(shape)

    def _short(self, nonce: bytes, size_bytes: int) -> bytearray:
        counters = np.empty((-(-size_bytes // 16), 2), dtype=">u8")
        counters[:, 0] = int.from_bytes(nonce)
        counters[:, 1] = np.arange(len(counters))
        return bytearray(self._blocks.update(counters.tobytes()))


def _draw(cipher: CipherContext, flat: NDArray[Any]) -> None:
    target = memoryview(flat.view(np.uint8))  # type: ignore[arg-type]  # arrays are buffers
    for start in range(0, len(target), len(_ZEROS)):
        part = target[start : start + len(_ZEROS)]
        cipher.update_into(_ZEROS_VIEW[: len(part)], part)


def mixed_seed(seed: bytes, nonces: NDArray[np.uint8]) -> bytes:
    """A seed made of a seed and nonces: another one whenever either is."""
    return hashlib.blake2b(
        nonces.tobytes(), key=seed, digest_size=SEED_BYTES, person=b"saferoom-mix"
    ).digest()


def random_rows(seed: bytes, rows: int, count: int) -> NDArray[np.intp]:
    """`count` distinct random rows of `range(rows)` in random order, the same on every machine."""
    stream, chosen = Stream(seed, "random rows"), np.zeros(0, dtype=np.intp)
    while len(chosen) < count:
        drawn = stream.words(count + count // 8 + 16) % np.uint64(rows)
        chosen = np.concatenate([chosen, drawn.astype(np.intp)])
        chosen = chosen[np.sort(np.unique(chosen, return_index=True)[1])]
    return chosen[:count]
