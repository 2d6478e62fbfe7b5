"""One frame: a header everybody on the way can read, and a body only the receiver can open.

     0               1               2               3
    +---------------+---------------+---------------+---------------+
  0 | version = 1   | kind          | flags         | reason        |
    +---------------+---------------+---------------+---------------+
  4 | job id, 16 bytes                                              |
    +---------------------------------------------------------------+
 20 | session, u32                                                  |
    +---------------------------------------------------------------+
 24 | sender, 32 bytes, ASCII, filled up with zeros                 |
    +---------------------------------------------------------------+
 56 | receiver, 32 bytes, ASCII, filled up with zeros               |
    +---------------------------------------------------------------+
 88 | sequence, u64: of this frame (data); of the next one (others) |
    +---------------------------------------------------------------+
 96 | acknowledged, u64: every frame of the other direction below   |
    |   this number has arrived. Not authenticated                  |
    +---------------------------------------------------------------+
104 | body: AES-256-GCM ciphertext and 16-byte tag (data); else empty

Integers are big-endian. Bytes 4-87 name the flow; bytes 0-95 of a data frame are authenticated. The
acknowledgement is not, because a frame sent again carries a newer one under the same seal. Frames
without a body are not authenticated at all: whoever forges one can stop a conversation, which the relay
can do anyway by dropping frames, but can neither read nor change a word of it.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from saferoom.errors import PeerError

VERSION = 1
HEADER_BYTES = 104
AUTHENTICATED_BYTES = 96
TAG_BYTES = 16
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
FLOW = slice(4, 88)
SENDER = slice(24, 56)
RECEIVER = slice(56, 88)
_ENDPOINT_BYTES = 32
_HEADER = struct.Struct(">BBBB16sI32s32sQQ")


class Kind(enum.IntEnum):
    """What a frame is."""

    DATA = 0
    ACKNOWLEDGE = 1
    ABORT = 2


class Flag(enum.IntFlag):
    """`FIRST` and `LAST` fragment of a message; `RESEND` asks for everything unacknowledged again;
    `CLOSED` says that the sender has ended its part well; `MARK` cuts the flow's transcript here."""

    NONE = 0
    FIRST = 1
    LAST = 2
    RESEND = 4
    CLOSED = 8
    MARK = 16


class Reason(enum.IntEnum):
    """Why a conversation is aborted."""

    NONE = 0
    UNKNOWN_JOB = 1
    FAILED = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The readable part of a frame."""

    kind: Kind
    job_id: bytes
    session: int
    sender: str
    receiver: str
    sequence: int = 0
    acknowledged: int = 0
    flags: Flag = Flag.NONE
    reason: Reason = Reason.NONE

    def pack(self) -> bytes:
        """The 104 bytes."""
        return _HEADER.pack(
            VERSION,
            self.kind,
            self.flags,
            self.reason,
            self.job_id,
            self.session,
            endpoint_bytes(self.sender),
            endpoint_bytes(self.receiver),
            self.sequence,
            self.acknowledged,
        )


def endpoint_bytes(name: str) -> bytes:
    """An endpoint's name as it stands in a header."""
    return name.encode("ascii").ljust(_ENDPOINT_BYTES, b"\0")


def check_frame(frame: bytes, *, max_bytes: int) -> None:
    """Raise PeerError unless `frame` has a version and kind we know and a size that may be."""
    if not HEADER_BYTES <= len(frame) <= max_bytes:
        raise PeerError(f"a frame of {len(frame)} bytes; allowed are {HEADER_BYTES} to {max_bytes}")
    if frame[0] != VERSION:
        raise PeerError(
            f"a frame of version {frame[0]}; we speak version {VERSION}",
            remedy="run the same SafeRoom version at all nodes",
        )
    if frame[1] > Kind.ABORT or (frame[1] != Kind.DATA and len(frame) != HEADER_BYTES):
        raise PeerError("a frame of an unknown kind, or a body where none may be")


def parse_header(frame: bytes) -> FrameHeader:
    """Header of a frame. Raises PeerError if it is not one."""
    try:
        version, kind, flags, reason, job_id, session, sender, receiver, sequence, acknowledged = (
            _HEADER.unpack_from(frame)
        )
        if version != VERSION:
            raise ValueError("version")
        return FrameHeader(
            Kind(kind),
            job_id,
            session,
            sender.rstrip(b"\0").decode("ascii"),
            receiver.rstrip(b"\0").decode("ascii"),
            sequence,
            acknowledged,
            Flag(flags),
            Reason(reason),
        )
    except (struct.error, ValueError) as error:
        raise PeerError(f"bytes that are not a frame of version {VERSION}") from error
