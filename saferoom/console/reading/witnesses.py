"""What witnesses say of a log: whose cosignatures stand in it, which were checked, what they cover.

A cosignature by a witness whose key the auditor brought is checked where it is shown. Of others only the
name is known, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from saferoom.audit.formats.inclusion import EntryProof, EntryProver
from saferoom.audit.formats.note import NoteVerifier, parse_signature_line
from saferoom.audit.log.store import Cosignature
from saferoom.audit.witness.quorum import Quorum, newest_witnessed
from saferoom.console.reading.sources import Snapshot
from saferoom.errors import SafeRoomError, VerificationError

LOOKED_BACK = 50


@dataclass(frozen=True, slots=True)
class Cosigner:
    """One cosignature. `state`: checked, unknown (no key was given) or wrong. `time`: UTC, if checked."""

    name: str
    key_id: str
    state: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class Vouched:
    """A cosigned checkpoint. `needed`: how many of the auditor's witnesses make a quorum; 0: not known."""

    size: int
    note: str
    cosigners: tuple[Cosigner, ...]
    needed: int

    @property
    def checked(self) -> tuple[Cosigner, ...]:
        return tuple(one for one in self.cosigners if one.state == "checked")

    @property
    def is_quorum(self) -> bool:
        return 0 < self.needed <= len(self.checked)


def newest_vouched(snapshot: Snapshot, quorum: Quorum | None) -> Vouched | None:
    """The newest checkpoint with a quorum; without one, the newest that anybody cosigned.

    Raises: StorageError, VerificationError.
    """
    sizes = snapshot.last_cosigned_sizes(LOOKED_BACK)
    try:
        witnessed = (
            newest_witnessed(snapshot, quorum, now_s=datetime.now(UTC).timestamp()) if quorum else None
        )
    except VerificationError:
        witnessed = None  # a wrong line is shown below, and makes the verdict INVALID
    size = witnessed.size if witnessed else next(iter(sizes), None)
    return None if size is None else vouched(snapshot, size, quorum)


def vouched(snapshot: Snapshot, size: int, quorum: Quorum | None) -> Vouched:
    """Who cosigned the checkpoint of `size`. Raises: StorageError, VerificationError."""
    note = snapshot.checkpoint(size)
    text = note.partition("\n\n")[0] + "\n"
    known = quorum.witnesses if quorum else ()
    cosigners = [_cosigner(text, item, known) for item in snapshot.cosignatures_of(size)]
    return Vouched(size, note, tuple(cosigners), quorum.needed if quorum else 0)


def _cosigner(text: str, item: Cosignature, known: Sequence[NoteVerifier]) -> Cosigner:
    try:
        name, key_id, signature = parse_signature_line(item.line)
    except VerificationError:
        return Cosigner(item.witness, "", "wrong")
    verifier = next((one for one in known if (one.name, one.key_id) == (name, key_id)), None)
    if verifier is None:
        return Cosigner(name, key_id.hex(), "unknown")
    try:
        time_s = verifier.check(text, signature) or 0
        return Cosigner(
            name, key_id.hex(), "checked", f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S}"
        )
    except (VerificationError, ValueError, OverflowError, OSError):
        return Cosigner(name, key_id.hex(), "wrong")


def covered(
    snapshot: Snapshot, index: int, quorum: Quorum | None, keys: Sequence[NoteVerifier]
) -> tuple[Vouched, EntryProof] | None:
    """The cosigned checkpoint that covers entry `index`, and the entry's proof in that very tree.

    None if nobody cosigned so far, or if it cannot be proved.
    """
    try:
        found = newest_vouched(snapshot, quorum)
        if found is None or index >= found.size:
            return None
        return found, EntryProver(snapshot, found.note, keys).prove(index)
    except SafeRoomError:
        return None
