"""What a worker does: the state it keeps, and its tasks. Runs in a worker process, or in the caller's own.

A task takes a small header and buffers, and gives buffers: nothing is pickled, keys travel as their JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from saferoom.errors import ProtocolError
from saferoom.he.ciphertexts import check_units
from saferoom.he.key_files import private_from_json, public_from_json
from saferoom.he.keys import PrivateKey, PublicKey
from saferoom.he.packing import Slots
from saferoom.he.products import join_numbers, split_numbers
from saferoom.he.quickest import products_for
from saferoom.he.row_sums import RowSums

Header: TypeAlias = dict[str, Any]
Parts: TypeAlias = Sequence[bytes]


class Work:
    """One worker's state: the keys it was given, and the rows it adds up."""

    def __init__(self) -> None:
        self._public: PublicKey | None = None
        self._private: PrivateKey | None = None
        self._rows: RowSums | None = None

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
        plains = split_numbers(parts[0], header["width"], signed=True)
        return [join_numbers(self.private.encrypt_all(plains), self.public.width_bytes)]

    def decrypt(self, _header: Header, parts: Parts) -> list[bytes]:
        key, width = self.private, self.public.width_bytes
        products = products_for(self.public.modulus, len(parts[0]) // width)
        check_units(parts[0], products.read(parts[0]), products, self.public)
        return [join_numbers(key.decrypt_all(split_numbers(parts[0], width)), plain_bytes(self.public))]

    def start_rows(self, header: Header, parts: Parts) -> list[bytes]:
        """Each part holds a feature's bins of all rows that will come. Rows of before are forgotten."""
        columns = [np.frombuffer(part, dtype=np.dtype(header["type"])) for part in parts]
        self._rows = RowSums(self.public, columns, header["counts"], keep=header["keep"])
        return []

    def add_rows(self, header: Header, parts: Parts) -> list[bytes]:
        """Add a chunk to the sums of all rows; this worker checks its portion of the chunk."""
        self.rows.add(parts[0], slice(*header["checked"]))
        return []

    def sum_rows(self, _header: Header, _parts: Parts) -> list[bytes]:
        """The bins' sums of every feature over all rows."""
        return self.rows.all()

    def sum_kept(self, _header: Header, parts: Parts) -> list[bytes]:
        """Likewise over the rows at these positions."""
        return self.rows.of(np.frombuffer(parts[0], dtype=np.int32))

    def pack(self, header: Header, parts: Parts) -> list[bytes]:
        """Packed into as few ciphertexts as possible, each slot raised by the offset, re-randomised."""
        key, offset = self.public, header["offset"]
        slots, numbers = Slots(*header["slots"]), split_numbers(parts[0], key.width_bytes)
        packed = slots.pack_encrypted(numbers, key.modulus)
        if offset and numbers:
            size = slots.per_plaintext
            held = [size] * (len(packed) - 1) + [len(numbers) - size * (len(packed) - 1)]
            raises = {count: key.without_noise(slots.pack([offset] * count)) for count in set(held)}
            packed = [number * raises[count] for number, count in zip(packed, held, strict=True)]
        return [join_numbers(key.rerandomised_all(packed), key.width_bytes)]

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

    @property
    def rows(self) -> RowSums:
        if self._rows is None:
            raise ProtocolError("a worker was asked before it had rows")
        return self._rows


TASKS: dict[str, Callable[[Work, Header, Parts], list[bytes]]] = {
    task.__name__: task
    for task in (
        Work.take_public,
        Work.take_private,
        Work.encrypt,
        Work.decrypt,
        Work.start_rows,
        Work.add_rows,
        Work.sum_rows,
        Work.sum_kept,
        Work.pack,
    )
}


def plain_bytes(key: PublicKey) -> int:
    """Bytes that hold any plaintext."""
    return (key.plain_bits + 7) // 8
