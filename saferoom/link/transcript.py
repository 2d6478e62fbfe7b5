"""What was said on one flow, as everybody on the way can commit to it: a chain over the sealed frames.

    digest 0   32 zeros
    digest n   SHA-256(digest n-1 | SHA-256(bytes 0-95 of the header | body))

Sender, receiver and relay hold the same bytes, so they come to the same digest, in whatever order frames
arrive and however often. It commits to ciphertexts: a hash of what was said could be found again by trying,
where little was said.

A *mark* is a data frame that ends a phase of its sender and cuts the flow there, for all three. Its body,
a few hundred bytes, is for the receiver's node and not for the protocol.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from saferoom.channel.transport import Buffer
from saferoom.link.frames import AUTHENTICATED_BYTES, HEADER_BYTES, Flag


@dataclass(frozen=True, slots=True)
class Said:
    """What was said on a flow so far: whole messages, bytes of their frames, and the digest."""

    messages: int = 0
    size_bytes: int = 0
    digest: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that came: what was said before it, and what its sender states of that."""

    said: Said
    body: bytes


class Transcript:
    """The running chain of one flow. Frames are added in the order of their numbers, each once."""

    def __init__(self) -> None:
        self._digest = bytes(32)
        self._messages = 0
        self._size_bytes = 0

    def add(self, flags: Flag, size_bytes: int, digest: bytes) -> None:
        """Take in the next frame: its flags, its whole size, its `frame_digest`."""
        self._digest = hashlib.sha256(self._digest + digest).digest()
        self._size_bytes += size_bytes
        if flags & Flag.LAST and not flags & Flag.MARK:
            self._messages += 1

    def said(self) -> Said:
        return Said(self._messages, self._size_bytes, self._digest)


def frame_digest(frame: bytes) -> bytes:
    """Commits to a data frame as it was sealed: everything but the acknowledgement it carries."""
    return sealed_digest(frame[:AUTHENTICATED_BYTES], memoryview(frame)[HEADER_BYTES:])


def sealed_digest(head: bytes, body: Buffer) -> bytes:
    """The same from its parts: the authenticated part of the header, and the body."""
    hasher = hashlib.sha256(head)
    hasher.update(body)
    return hasher.digest()
