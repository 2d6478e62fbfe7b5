"""What a worker does: the state it keeps, and its tasks. Runs in a worker process, or in the caller's own.

A task takes a small header and buffers, and gives buffers: nothing is pickled, keys travel as their JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from gmpy2 import mpz

from saferoom.errors import ProtocolError
from saferoom.he.ciphertexts import check_units
from saferoom.he.key_files import private_from_json, public_from_json
from saferoom.he.keys import PrivateKey, PublicKey
from saferoom.he.packing import Slots
from saferoom.he.sums import Group, GroupSums

Header: TypeAlias = dict[str, Any]
Parts: TypeAlias = Sequence[bytes]


def split_numbers(data: bytes, width_bytes: int, *, signed: bool = False) -> list[mpz]:
    """Big-endian numbers of a fixed width."""
    places = range(0, len(data), width_bytes)
    return [mpz.from_bytes(data[at : at + width_bytes], "big", signed=signed) for at in places]


def join_numbers(numbers: Sequence[mpz], width_bytes: int) -> bytes:
    return b"".join([number.to_bytes(width_bytes, "big") for number in numbers])


class Work:
    """One worker's state: the keys it was given, and the sums it is making."""

    def __init__(self) -> None:
        self._public: PublicKey | None = None
        self._private: PrivateKey | None = None
        self._kept: list[mpz] = []
        self._sums: list[GroupSums] = []
        self._product = mpz(1)

    def do(self, task: str, header: Header, parts: Parts) -> list[bytes]:
        """Carry out one of the tasks below."""
        return TASKS[task](self, header, parts)

    def take_public(self, _header: Header, parts: Parts) -> list[bytes]:
        self._public = public_from_json(parts[0].decode())
        return []

    def take_private(self, _header: Header, parts: Parts) -> list[bytes]:
        self._private = private_from_json(parts[0].decode())
        self._public = self._private.public
        return []

    def encrypt(self, header: Header, parts: Parts) -> list[bytes]:
        encrypt = self.private.encrypt
        plains = split_numbers(parts[0], header["width"], signed=True)
        return [join_numbers([encrypt(plain) for plain in plains], self.public.width_bytes)]

    def decrypt(self, _header: Header, parts: Parts) -> list[bytes]:
        numbers = split_numbers(parts[0], self.public.width_bytes)
        check_units(numbers, self.public)
        return [join_numbers([self.private.decrypt(n) for n in numbers], plain_bytes(self.public))]

    def start_sums(self, header: Header, _parts: Parts) -> list[bytes]:
        self._sums = [
            GroupSums(Group(tuple(f), tuple(c), fullest, cost), self.public.modulus)
            for f, c, fullest, cost in header["groups"]
        ]
        self._product = mpz(1)
        return []

    def forget_rows(self, _header: Header, _parts: Parts) -> list[bytes]:
        self._kept = []
        return []

    def add_rows(self, header: Header, parts: Parts) -> list[bytes]:
        """Add a chunk to all groups' cells, keep it if told to; check this worker's portion of its rows."""
        numbers = split_numbers(parts[0], self.public.width_bytes)
        if header["keep"]:
            self._kept += numbers
        return self._add(header, numbers, parts[1:])

    def add_kept(self, header: Header, parts: Parts) -> list[bytes]:
        """As `add_rows`, of rows that were kept."""
        kept = self._kept
        return self._add(header, [kept[row] for row in _places(parts[0])], parts[1:])

    def _add(self, header: Header, numbers: Sequence[mpz], cells_of_groups: Parts) -> list[bytes]:
        first, last = header["checked"]
        modulus = self.public.modulus
        self._product = self._product * check_units(numbers[first:last], self.public) % modulus
        for sums, cells in zip(self._sums, cells_of_groups, strict=True):
            sums.add(numbers, _places(cells))
        return []

    def product(self, _header: Header, _parts: Parts) -> list[bytes]:
        return [join_numbers([self._product], self.public.width_bytes)]

    def finish_sums(self, _header: Header, parts: Parts) -> list[bytes]:
        """The bins' sums of every feature of this worker's groups, group by group."""
        total = split_numbers(parts[0], self.public.width_bytes)[0]
        finished = [sums.finish(total) for sums in self._sums]
        self._sums = []
        return [join_numbers(bins, self.public.width_bytes) for group in finished for bins in group.values()]

    def pack(self, header: Header, parts: Parts) -> list[bytes]:
        """Each part is packed into one ciphertext, its slots raised by the offset, and re-randomised."""
        slots, key = Slots(header["slot_bits"], self.public.plain_bits), self.public
        packs = [split_numbers(part, key.width_bytes) for part in parts]
        packed = [slots.pack_encrypted(pack, key) for pack in packs]
        if header["offset"]:
            raises = {
                count: key.without_noise(slots.pack([header["offset"]] * count))
                for count in set(map(len, packs))
            }
            packed = [number * raises[len(pack)] for number, pack in zip(packed, packs, strict=True)]
        return [join_numbers([key.rerandomised(number) for number in packed], key.width_bytes)]

    @property
    def public(self) -> PublicKey:
        if self._public is None:
            raise ProtocolError("a worker was asked before it had a key")
        return self._public

    @property
    def private(self) -> PrivateKey:
        if self._private is None:
            raise ProtocolError("a worker was asked before it had a private key")
        return self._private


TASKS: dict[str, Callable[[Work, Header, Parts], list[bytes]]] = {
    task.__name__: task
    for task in (
        Work.take_public,
        Work.take_private,
        Work.encrypt,
        Work.decrypt,
        Work.start_sums,
        Work.forget_rows,
        Work.add_rows,
        Work.add_kept,
        Work.product,
        Work.finish_sums,
        Work.pack,
    )
}


def _places(data: bytes) -> list[int]:
    places: list[int] = np.frombuffer(data, dtype=np.int32).tolist()
    return places


def plain_bytes(key: PublicKey) -> int:
    """Bytes that hold any plaintext."""
    return (key.plain_bits + 7) // 8
