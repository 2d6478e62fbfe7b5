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
from saferoom.he.sums import grouped, shared_out
from saferoom.he.work import join_numbers, plain_bytes, split_numbers
from saferoom.he.workers import Workers, gathered


def encrypt_vector(key: PrivateKey, plains: Sequence[int], workers: Workers) -> Ciphertexts:
    """Each of `plains` encrypted by the key's owner. Raises UsageError if one does not fit."""
    for plain in plains:
        check_plain(plain, key.public.plain_bits)
    width = max((int(plain).bit_length() for plain in plains), default=0) // 8 + 1  # a bit for the sign
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

        With `keep` the workers keep the rows, in place of any that they kept before.
        Raises UsageError for a bin out of range.
        """
        for column, count in zip(columns, counts, strict=True):
            if len(column) and not 0 <= column.min() <= column.max() < count:
                raise UsageError("a bin that is not below the number of bins")
        self._key, self._columns, self._workers, self._keep = key, columns, workers, keep
        self._shares = shared_out(grouped(columns, counts), workers.count)
        self._pending: list[Future[list[bytes]]] = []
        self.rows = 0
        workers.use(key)
        heads = [
            {"groups": [[g.features, g.counts, g.fullest, g.cost] for g in share]} for share in self._shares
        ]
        if keep:
            workers.do("forget_rows", [({}, [])] * workers.count)
        workers.do("start_sums", [(head, []) for head in heads])

    def add(self, chunk: Ciphertexts) -> None:
        """The next rows. Raises PeerError if they are no ciphertexts, at the next call at the latest."""
        _check_width(chunk, self._key)
        self._start("add_rows", len(chunk), chunk.value.tobytes())

    def add_kept(self, rows: NDArray[np.int32]) -> None:
        """As `add`, of rows that the workers kept: (rows,) positions."""
        self._start("add_kept", len(rows), rows.tobytes())

    def _start(self, task: str, count: int, data: bytes) -> None:
        columns = [column[self.rows : self.rows + count] for column in self._columns]
        checked = portions(count, self._workers.count)
        shares = [
            (
                {"checked": [portion.start, portion.stop], "keep": self._keep},
                [data, *(group.cells_of(columns).astype(np.int32).tobytes() for group in share)],
            )
            for share, portion in zip(self._shares, checked, strict=True)
        ]
        self._wait()
        self._pending = self._workers.start(task, shares)
        self.rows += count

    def finish(self) -> list[list[mpz]]:
        """For each feature the ciphertexts of its bins' sums: of all rows added, not yet re-randomised."""
        self._wait()
        if any(len(column) != self.rows for column in self._columns):
            raise ShapeError(f"{self.rows} encrypted rows beside columns of another length")
        width, total = self._key.width_bytes, mpz(1)
        for parts in self._workers.do("product", [({}, [])] * self._workers.count):
            total = total * split_numbers(parts[0], width)[0] % self._key.modulus
        answers = self._workers.do(
            "finish_sums", [({}, [join_numbers([total], width)])] * self._workers.count
        )
        sums: dict[int, list[mpz]] = {}
        for share, parts in zip(self._shares, answers, strict=True):
            features = [feature for group in share for feature in group.features]
            for feature, part in zip(features, parts, strict=True):
                sums[feature] = split_numbers(part, width)
        return [sums[feature] for feature in range(len(self._columns))]

    def _wait(self) -> None:
        gathered(self._pending)


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
    size = slots.per_plaintext
    packs = [numbers[at : at + size] for at in range(0, len(numbers), size)]
    shares = [
        (
            {"slot_bits": slots.slot_bits, "offset": offset},
            [join_numbers(pack, key.width_bytes) for pack in packs[portion]],
        )
        for portion in portions(len(packs), workers.count)
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
