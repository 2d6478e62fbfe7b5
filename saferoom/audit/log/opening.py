"""Making a log, and the checks before an old one is written again.

    head        its checkpoint is signed by our key, for this origin, and says what the head's columns say
    right edge  the partial tiles give the stored edge and root
    entries     the last index fits the size; the last entries hash to the leaves of the last tile

    past        no checkpoint is known that a witness holds and this file does not (`<path>.ahead`)

A log that fails a check is not opened. It stays as it is, for the auditor; the node goes on with a
successor log that says so. Everything else is for the verifier, which reads the whole log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.merkle import EMPTY_ROOT, leaf_hash
from saferoom.audit.formats.note import NoteSigner, NoteVerifier
from saferoom.audit.formats.tiles import TILE_WIDTH, TileBuilder, split_hashes, subtree_from_tiles
from saferoom.audit.log.sqlite import FORMAT_VERSION, SqliteWriter
from saferoom.audit.log.store import Head, Identity, LogReader
from saferoom.errors import StorageError, VerificationError

_STEP = "open the audit log"
_REMEDY = (
    "keep this file for the auditor and run `saferoom audit verify` on it; then restore the newest copy "
    "it accepts, or begin a successor log with `saferoom audit successor propose`"
)


def create(writer: SqliteWriter, signer: NoteSigner) -> None:
    """Write an empty log, signed at size 0. Raises: StorageError."""
    note = Checkpoint(signer.name, 0, EMPTY_ROOT).signed(signer)
    writer.create(Identity(FORMAT_VERSION, signer.name, signer.verifier_key), Head(checkpoint=note))


@dataclass(frozen=True, slots=True)
class StoredTree:
    """Where to go on: the stored head, and the tree that grows from it."""

    head: Head
    builder: TileBuilder


def check_stored(reader: LogReader, verifier: NoteVerifier) -> StoredTree:
    """The stored tree, checked. Raises: VerificationError, StorageError."""
    identity = reader.identity()
    if identity.origin != verifier.name:
        raise VerificationError(
            f"this is the log {identity.origin}, not {verifier.name}",
            step=_STEP,
            remedy="check the node's log path",
        )
    if identity.verifier_key != str(verifier):
        raise VerificationError(
            "the log was signed by another key than this node's",
            step=_STEP,
            remedy="restore the node's old key, or begin a successor log",
        )
    head = reader.head()
    _check_head(head, verifier)
    builder = TileBuilder.load(head.size, reader.tile)
    if builder.root() != head.root or b"".join(builder.peaks()) != head.edge:
        raise VerificationError(
            "the right edge of the tree does not fit its root", step=_STEP, remedy=_REMEDY
        )
    _check_last_entries(reader, head.size)
    return StoredTree(head, builder)


def _check_head(head: Head, verifier: NoteVerifier) -> None:
    try:
        signed = open_checkpoint(head.checkpoint, [verifier])
    except VerificationError as exc:
        raise VerificationError(f"the log's head: {exc.message}", step=_STEP, remedy=_REMEDY) from exc
    if signed != Checkpoint(verifier.name, head.size, head.root):
        raise VerificationError("the log's head is not what its checkpoint says", step=_STEP, remedy=_REMEDY)


def _check_last_entries(reader: LogReader, size: int) -> None:
    """The last tile's entries are there, nothing comes after them, and they hash to its leaves."""
    start = (size - 1) // TILE_WIDTH * TILE_WIDTH if size else 0
    rows = list(reader.entries(start, 2**62))
    hashes = split_hashes(reader.tile(0, start // TILE_WIDTH))
    if [index for index, _ in rows] != list(range(start, size)):
        raise VerificationError(
            "the last entries are not there, or there are too many", step=_STEP, remedy=_REMEDY
        )
    if [leaf_hash(data) for _, data in rows] != hashes:
        raise VerificationError(
            "the last entries are not those the tree was built from", step=_STEP, remedy=_REMEDY
        )


def ahead_path(path: Path) -> Path:
    """Where a checkpoint is kept that a witness holds and the log at `path` does not contain."""
    return path.with_name(path.name + ".ahead")


def check_not_behind(path: Path, size: int, reader: LogReader, verifier: NoteVerifier) -> None:
    """Refuse a log that a witness was found to be ahead of, unless the entries it lacked are back.

    Raises: VerificationError.
    """
    kept = ahead_path(path)
    if not kept.exists():
        return
    held = open_checkpoint(kept.read_bytes(), [verifier])
    if held.size > size or subtree_from_tiles(reader.tile)(0, held.size) != held.root:
        raise restored(f"a witness holds a checkpoint of {held.size} entries that is not of this log")
    kept.unlink()


def restored(reason: str) -> StorageError:
    """The error of a log that would sign another history than the one its witnesses know."""
    return StorageError(
        f"the audit log signs nothing more: {reason}; an old copy was put back, or another has its key",
        step="sign the audit log",
        remedy="put the newest copy of log.db back; if it is lost, begin a successor log with"
        " `saferoom audit successor propose`; if no copy was put back, have the log key replaced",
    )
