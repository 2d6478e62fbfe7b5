"""Checkpoints: what a log says about itself, in three lines.

    saferoom/bank                                      origin: which log
    42                                                 size: how many entries
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=       root: base64 of the tree's 32 bytes

Signed as a note under a key whose name is the origin.

Source: c2sp.org/tlog-checkpoint. Extension lines are allowed there and kept out of here: they are refused.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from saferoom.audit.formats.merkle import EMPTY_ROOT, HASH_BYTES
from saferoom.audit.formats.note import NoteSigner, NoteVerifier, open_note, sign_note
from saferoom.errors import VerificationError

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_STEP = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: origin, number of entries, 32-byte root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signer: NoteSigner) -> str:
        """The signed note."""
        return sign_note(self.text(), signer)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the three lines. Raises: VerificationError."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise VerificationError("a checkpoint has three lines: origin, size, root", step=_STEP)
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError as exc:
            raise VerificationError("the checkpoint's root is not base64", step=_STEP) from exc
        if len(root) != HASH_BYTES or base64.b64encode(root).decode() != lines[2]:
            raise VerificationError("the checkpoint's root is not a 32-byte hash", step=_STEP)
        if lines[1] == "0" and root != EMPTY_ROOT:
            raise VerificationError("a checkpoint of no entries bears the root of some", step=_STEP)
        return cls(lines[0], int(lines[1]), root)


def open_checkpoint(note: str | bytes, verifiers: Iterable[NoteVerifier]) -> Checkpoint:
    """Check a signed checkpoint: one of `verifiers` signed it, and that key bears the checkpoint's origin.

    Raises: VerificationError.
    """
    opened = open_note(note, verifiers)
    checkpoint = Checkpoint.parse(opened.text)
    own = [s for s in opened.signatures if s.name == checkpoint.origin and s.time_s is None]
    if not own:
        raise VerificationError("the checkpoint is not signed by the key of its own log", step=_STEP)
    return checkpoint
