"""The streams of a connection, what is said first on each, and how control messages are wrapped.

    /saferoom.v1.Link/SmallUp     party to coordinator: frames up to 64 KB
    /saferoom.v1.Link/SmallDown   coordinator to party: the same
    /saferoom.v1.Link/BulkUp      party to coordinator: larger frames
    /saferoom.v1.Link/BulkDown    coordinator to party: the same
    /saferoom.v1.Link/Control     both ways: heartbeats and control messages

    first message of the party on each stream:  version = 1, u8 | connection id, 16 random bytes
    afterwards on Small and Bulk:               one frame a message
    afterwards on Control:                      kind, u8 | payload

The connection id only says which streams belong together. Who the party is stands in its certificate.
Up and down are streams of their own because a client that only reads from a stream may do so without
handing each message from one thread to another: a tenth to a quarter less for a round trip.
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
    """One of the streams; the value is its method's name."""

    SMALL_UP = "SmallUp"
    SMALL_DOWN = "SmallDown"
    BULK_UP = "BulkUp"
    BULK_DOWN = "BulkDown"
    CONTROL = "Control"

    @property
    def method(self) -> str:
        return f"/{SERVICE}/{self.value}"


UP_LANES = (Lane.SMALL_UP, Lane.BULK_UP)
DOWN_LANES = (Lane.SMALL_DOWN, Lane.BULK_DOWN)


class Control(enum.IntEnum):
    """First byte of a message on the control stream."""

    HEARTBEAT = 0
    READY = 1
    """The coordinator has all streams."""
    PART = 2
    """A piece of a control message; more follow."""
    LAST = 3
    """The last or only piece of a control message."""


def is_bulk(frame: bytes) -> bool:
    """Whether a frame would hold up small ones."""
    return len(frame) > SMALL_FRAME_BYTES


def up_lane(frame: bytes) -> Lane:
    """The party's stream for a frame."""
    return Lane.BULK_UP if is_bulk(frame) else Lane.SMALL_UP


def down_lane(frame: bytes) -> Lane:
    """The coordinator's stream for a frame."""
    return Lane.BULK_DOWN if is_bulk(frame) else Lane.SMALL_DOWN


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

    def __init__(self, most_bytes: int = MAX_CONTROL_BYTES) -> None:
        self._most_bytes = most_bytes
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> bytes | None:
        """The control message this stream message completes, if any. Raises PeerError on garbage."""
        if not piece or piece[0] > Control.LAST:
            raise PeerError("a message on the control stream that is of no known kind")
        if piece[0] in (Control.HEARTBEAT, Control.READY):
            return None
        self._size += len(piece) - 1
        if self._size > self._most_bytes:
            raise PeerError(f"a control message of more than {self._most_bytes} bytes")
        if piece[0] == Control.PART and len(piece) <= _PIECE_BYTES:
            raise PeerError("a control message in crumbs: a piece before the last that is not full")
        self._parts.append(piece[1:])
        if piece[0] == Control.PART:
            return None
        message = b"".join(self._parts)
        self._parts, self._size = [], 0
        return message
