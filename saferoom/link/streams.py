"""The three streams of a connection, what is said first on each, and how control messages are wrapped.

    /saferoom.v1.Link/Small      frames up to 64 KB
    /saferoom.v1.Link/Bulk       larger frames
    /saferoom.v1.Link/Control    heartbeats and control messages

    first message of the party on each stream:  version = 1, u8 | connection id, 16 random bytes
    afterwards on Small and Bulk:               one frame a message
    afterwards on Control:                      kind, u8 | payload

The connection id only says which three streams belong together. Who the party is stands in its
certificate.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from saferoom.errors import PeerError, UsageError
from saferoom.link.settings import MAX_CONTROL_BYTES, MAX_MESSAGE_BYTES, SMALL_FRAME_BYTES

SERVICE = "saferoom.v1.Link"
VERSION = 1
CONNECTION_ID_BYTES = 16
_PIECE_BYTES = MAX_MESSAGE_BYTES // 2


class Lane(enum.Enum):
    """One of the three streams; the value is its method's name."""

    SMALL = "Small"
    BULK = "Bulk"
    CONTROL = "Control"

    @property
    def method(self) -> str:
        return f"/{SERVICE}/{self.value}"


class Control(enum.IntEnum):
    """First byte of a message on the control stream."""

    HEARTBEAT = 0
    READY = 1
    """The coordinator has all three streams."""
    PART = 2
    """A piece of a control message; more follow."""
    LAST = 3
    """The last or only piece of a control message."""


def lane_of(frame: bytes) -> Lane:
    """Small frames must not stand behind bulk."""
    return Lane.SMALL if len(frame) <= SMALL_FRAME_BYTES else Lane.BULK


def hello(connection_id: bytes) -> bytes:
    """The first message on a stream."""
    return bytes([VERSION]) + connection_id


def read_hello(message: bytes) -> bytes:
    """The connection id. Raises PeerError if this is no greeting of a version we speak."""
    if len(message) != 1 + CONNECTION_ID_BYTES or message[0] != VERSION:
        raise PeerError(
            f"a stream that does not begin with a greeting of version {VERSION}",
            remedy="run the same SafeRoom version at the party and the coordinator",
        )
    return message[1:]


def wrap_control(message: bytes) -> Iterator[bytes]:
    """The pieces of one control message, each fit for one stream message."""
    if len(message) > MAX_CONTROL_BYTES:
        raise UsageError(f"a control message of {len(message)} bytes; the limit is {MAX_CONTROL_BYTES}")
    last = max(0, (len(message) - 1) // _PIECE_BYTES) * _PIECE_BYTES
    for at in range(0, last, _PIECE_BYTES):
        yield bytes([Control.PART]) + message[at : at + _PIECE_BYTES]
    yield bytes([Control.LAST]) + message[last:]


class ControlReader:
    """Puts control messages together again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> bytes | None:
        """The control message this stream message completes, if any. Raises PeerError on garbage."""
        if not piece or piece[0] > Control.LAST:
            raise PeerError("a message on the control stream that is of no known kind")
        if piece[0] in (Control.HEARTBEAT, Control.READY):
            return None
        self._size += len(piece) - 1
        if self._size > MAX_CONTROL_BYTES:
            raise PeerError(f"a control message of more than {MAX_CONTROL_BYTES} bytes")
        self._parts.append(piece[1:])
        if piece[0] == Control.PART:
            return None
        message = b"".join(self._parts)
        self._parts, self._size = [], 0
        return message
