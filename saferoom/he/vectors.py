"""Whole vectors over the cores: encrypt, decrypt, add up by bin, pack."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.errors import ShapeError, UsageError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.keys import PrivateKey, PublicKey, check_plain
from saferoom.he.packing import Slots
from saferoom.he.products import join_numbers, split_numbers
from saferoom.he.work import plain_bytes
from saferoom.he.workers import Workers, gathered


def encrypt_vector(key: PrivateKey, plains: Sequence[int], workers: Workers) -> Ciphertexts:
    """Each of `plains` encrypted by the key's owner. Raises UsageError if one does not fit."""
    extremes = min(plains, default=0), max(plains, default=0)
    for extreme in extremes:
        check_plain(extreme, key.public.plain_bits)
    width = max(int(extreme).bit_length() for extreme in extremes) // 8 + 1  # a bit for the sign
    workers.use(key)
    shares = [
        (
            {"width": width},
            [b"".join([int(plain).to_bytes(width, "big", signed=True) for plain in plains[portion]])],
        )
        for portion in portions(len(plains), workers.count)
    ]
    found = workers.do("encrypt", shares)
    return _table(b"".join(parts[0] for parts in found), key.public.width_bytes)


def decrypt_vector(key: PrivateKey, ciphertexts: Ciphertexts, workers: Workers) -> list[int]:
    """The plaintexts. Raises PeerError, VerificationError for anything that is not what it should be."""
    _check_width(ciphertexts, key.public)
    workers.use(key)
    shares = portions(len(ciphertexts), workers.count)
    found = workers.do("decrypt", [({}, [ciphertexts[share].value.tobytes()]) for share in shares])
    width = plain_bytes(key.public)
    return [int(plain) for parts in found for plain in split_numbers(parts[0], width)]


class BinSums:
    """Encrypted rows added up by bin, chunk by chunk, for all features at once."""

    def __init__(
        self,
        key: PublicKey,
        columns: Sequence[NDArray[Any]],
        counts: Sequence[int],
        workers: Workers,
        *,
        keep: bool = False,
    ) -> None:
        """`columns` are (rows,) bin numbers of each feature, below its entry in `counts`.

        With `keep` the workers keep the rows. They hold those of one `BinSums` at a time: the next one takes
        its place. Raises UsageError for a bin out of range.
        """
        for column, count in zip(columns, counts, strict=True):
            if len(column) and not 0 <= column.min() <= column.max() < count:
                raise UsageError("a bin that is not below the number of bins")
        self._key, self._lengths, self._workers = key, [len(column) for column in columns], workers
        self._pending: list[Future[list[bytes]]] = []
        self._shares = shared_out(counts, workers.count)
        self.rows = 0
        kind = np.min_scalar_type(max(counts, default=0)).str
        workers.use(key)
        heads = [{"counts": [counts[f] for f in share], "type": kind, "keep": keep} for share in self._shares]
        parts = [[columns[f].astype(kind).tobytes() for f in share] for share in self._shares]
        workers.do("start_rows", list(zip(heads, parts, strict=True)))

    def add(self, chunk: Ciphertexts) -> None:
        """The next rows. Raises PeerError if they are no ciphertexts, at the next call at the latest."""
        _check_width(chunk, self._key)
        data, edges = chunk.value.tobytes(), portions(len(chunk), self._workers.count)
        self._wait()
        if any(self.rows + len(chunk) > length for length in self._lengths):
            raise ShapeError("more encrypted rows than the columns have")
        shares = [({"checked": [portion.start, portion.stop]}, [data]) for portion in edges]
        self._pending = self._workers.start("add_rows", shares)
        self.rows += len(chunk)

    def finish(self) -> list[list[mpz]]:
        """For each feature the ciphertexts of its bins' sums: of all rows added, not yet re-randomised.

        An empty bin is 1.
        """
        self._wait()
        if any(length != self.rows for length in self._lengths):
            raise ShapeError(f"{self.rows} encrypted rows beside columns of another length")
        return self._sums("sum_rows", [])

    def of(self, rows: NDArray[np.int32]) -> list[list[mpz]]:
        """As `finish`, over kept rows alone: (rows,) positions. After `finish`, any number of times."""
        return self._sums("sum_kept", [np.ascontiguousarray(rows, dtype=np.int32).tobytes()])

    def _sums(self, task: str, parts: list[bytes]) -> list[list[mpz]]:
        answers = self._workers.do(task, [({}, parts)] * self._workers.count)
        found = {
            feature: split_numbers(part, self._key.width_bytes)
            for share, answer in zip(self._shares, answers, strict=True)
            for feature, part in zip(share, answer, strict=True)
        }
        return [found[feature] for feature in range(len(self._lengths))]

    def _wait(self) -> None:
        gathered(self._pending)


def shared_out(counts: Sequence[int], workers: int) -> list[list[int]]:
    """The features split among workers, so that each has as many of every size as the others."""
    order = sorted(range(len(counts)), key=lambda feature: -counts[feature])
    return [order[worker::workers] for worker in range(workers)]


def pack_vector(
    key: PublicKey, numbers: Sequence[mpz], slots: Slots, workers: Workers, offset: int = 0
) -> Ciphertexts:
    """The numbers packed slot by slot in as few ciphertexts as hold them, each re-randomised.

    `offset`, from 0 to below 2**slot_bits, is added to every number, so that none is negative.
    Raises UsageError if it is not in this range.
    """
    if not 0 <= offset < 1 << slots.slot_bits:
        raise UsageError("an offset that does not fit in a slot")
    workers.use(key)
    size, packs = slots.per_plaintext, slots.plaintexts(len(numbers))
    head = {"slots": [slots.slot_bits, slots.plain_bits], "offset": offset}
    shares = [
        (head, [join_numbers(numbers[size * portion.start : size * portion.stop], key.width_bytes)])
        for portion in portions(packs, workers.count)
    ]
    found = workers.do("pack", shares)
    return _table(b"".join(parts[0] for parts in found), key.width_bytes)


def portions(count: int, workers: int) -> list[slice]:
    """`count` things split into as many slices as there are workers, as evenly as possible."""
    edges = [count * worker // workers for worker in range(workers + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _table(data: bytes, width_bytes: int) -> Ciphertexts:
    return Ciphertexts(np.frombuffer(data, dtype=np.uint8).reshape(-1, width_bytes))


def _check_width(ciphertexts: Ciphertexts, key: PublicKey) -> None:
    if ciphertexts.value.shape[1] != key.width_bytes:
        raise UsageError(
            f"ciphertexts of {ciphertexts.value.shape[1]} bytes under a key of {key.width_bytes}"
        )
