"""One entry and the proof that it stands in its log: made from stored tiles, checked in the same call.

    bytes of the entry ── leaf hash ── path of sibling hashes ── root ── checkpoint ── signature, cosignatures

Nothing but the verifier key is trusted: the stored tiles only make the path, and a wrong path does not
lead to the root that was signed. What a checked entry does not prove: that the entries around it are well
formed, and that this is the only version of the log. That is for `verify_log` and for witnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.merkle import inclusion_proof, leaf_hash, node_hash, verify_inclusion
from saferoom.audit.formats.note import NoteVerifier
from saferoom.audit.formats.tiles import subtree_from_tiles
from saferoom.errors import VerificationError


class TreeSource(Protocol):
    """Where entries and tiles are read; `SqliteReader` is one."""

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]: ...

    def tile(self, level: int, number: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step up the tree: the sibling, the side it stands on (`left`, `right`), and the hash of both."""

    side: str
    sibling: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class EntryProof:
    """An entry whose inclusion in the tree of `checkpoint` was checked."""

    index: int
    data: bytes
    leaf: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    def steps(self) -> list[Step]:
        """The path with every hash in between, from the leaf to the root."""
        return list(_climb(self.index, self.checkpoint.size, self.leaf, self.path))


class EntryProver:
    """Proves entries of one log against one signed checkpoint, whose signature is checked once."""

    def __init__(self, source: TreeSource, note: str, keys: Sequence[NoteVerifier]) -> None:
        """`note` is the log's newest checkpoint as stored. Raises: VerificationError."""
        self._source = source
        self.note = note
        self.checkpoint = open_checkpoint(note, keys)

    def prove(self, index: int) -> EntryProof:
        """Read entry `index` and check that it stands in the tree.

        Raises: UsageError if the tree has no such entry; VerificationError, StorageError.
        """
        path = inclusion_proof(index, self.checkpoint.size, subtree_from_tiles(self._source.tile))
        for _, data in self._source.entries(index, index + 1):
            return self.check(index, data, path)
        raise VerificationError(f"entry {index} is missing", step="inclusion proof")

    def check(self, index: int, data: bytes, path: Sequence[bytes]) -> EntryProof:
        """Check a path for the exact bytes of an entry. Raises: VerificationError."""
        leaf = leaf_hash(data)
        verify_inclusion(index, self.checkpoint.size, leaf, path, self.checkpoint.root)
        return EntryProof(index, data, leaf, tuple(path), self.checkpoint)


def _climb(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> Iterator[Step]:
    """The steps of RFC 9162 §2.1.3.2, for showing; `verify_inclusion` is what decides."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        on_left = bool(fn & 1) or fn == sn
        r = node_hash(p, r) if on_left else node_hash(r, p)
        yield Step("left" if on_left else "right", p, r)
        if on_left:
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
