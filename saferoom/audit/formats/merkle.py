"""The RFC 6962 hash tree: leaves, right edge, proofs, and their verification.

    leaf   SHA256(00 ‖ entry)          node   SHA256(01 ‖ left ‖ right)          empty tree   SHA256("")

          root of 7                 the right edge of 7 leaves is its complete subtrees, largest first:
         /         \\
      abcd          efg              [abcd, ef, g]
     /    \\        /   \\
    ab    cd      ef    g            folding it from the right gives the root
   / \\   / \\     / \\
  a   b c   d   e   f

Every hash is exactly 32 bytes; any other length is refused before the arithmetic, which would accept it.

Source: RFC 6962 §2.1; verification RFC 9162 §2.1.3.2 (inclusion) and §2.1.4.2 (consistency).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from saferoom.errors import UsageError, VerificationError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""`subtree(start, end)`: the hash of the leaves start..end-1, wherever they are kept."""


def leaf_hash(entry: bytes) -> bytes:
    """The 32-byte hash of one entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class RightEdge:
    """The complete subtrees of a growing tree, largest first: enough to append and to get the root."""

    __slots__ = ("peaks", "size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self.peaks: list[bytes] = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash. About one node hash a leaf, over time."""
        size, peaks = self.size, self.peaks
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree's root; `EMPTY_ROOT` if nothing was appended."""
        return fold(self.peaks)


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees given largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes (or over equal complete subtrees)."""
    return RightEdge(leaves).root()


def _split(count: int) -> int:
    """The largest power of two below `count`; count >= 2."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962 §2.1.1).

    Raises: UsageError if index is not in 0..size-1.
    """
    if not 0 <= index < size:
        raise UsageError(f"there is no entry {index} in a tree of size {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """What shows that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962 §2.1.2).

    Empty for old == new and for old == 0: there is nothing to show. Raises: UsageError unless 0 <= old <=
    new.
    """
    if not 0 <= old <= new:
        raise UsageError(f"a tree of size {new} has no older size {old}")
    if old == 0:
        return []
    start, end, path = 0, new, []
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    if start:
        path.append(subtree(start, end))
    return path[::-1]


def _check_lengths(hashes: Iterable[bytes], step: str) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise VerificationError("every hash of a proof has 32 bytes; one has another length", step=step)


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` (a leaf hash) stands at `index` in the tree of `size` leaves with this root.

    Raises: VerificationError. Source: RFC 9162 §2.1.3.2, whose names fn, sn, r are kept.
    """
    step = "inclusion proof"
    _check_lengths([leaf, root, *proof], step)
    if not 0 <= index < size:
        raise VerificationError(f"index {index} is not in a tree of size {size}", step=step)
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise VerificationError("the proof is longer than the tree is high", step=step)
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise VerificationError("the proof is shorter than the tree is high", step=step)
    if r != root:
        raise VerificationError(f"entry {index} is not in the tree of size {size} with this root", step=step)


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree (new, new_root) begins with the tree (old, old_root).

    Raises: VerificationError, also for old == 0: every tree begins with the empty one, so that says nothing.
    Source: RFC 9162 §2.1.4.2, whose names fn, sn, fr, sr are kept.
    """
    step = "consistency proof"
    _check_lengths([old_root, new_root, *proof], step)
    if not 0 < old <= new:
        raise VerificationError(f"a tree of size {new} has no older size {old} to compare", step=step)
    if old < new:
        _climb(old, new, proof, old_root, new_root)
    elif proof or old_root != new_root:
        raise VerificationError("trees of one size need one root and an empty proof", step=step)


def _climb(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """The loop of RFC 9162 §2.1.4.2 for 0 < old < new."""
    step = "consistency proof"
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path or not proof:
        raise VerificationError("the proof is empty although the tree grew", step=step)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise VerificationError("the proof is longer than the tree is high", step=step)
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or fr != old_root or sr != new_root:
        raise VerificationError(
            f"the tree of size {new} does not begin with the tree of size {old}: history was changed",
            step=step,
        )
