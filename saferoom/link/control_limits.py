"""How large a control message of each kind may be: looked at before anything of it is parsed.

A parsed message can take fifteen times the memory of its bytes, so the limit must stand before the parser.
Sources: `protos/saferoom/v1/control.proto`; for witnesses the largest request of C2SP add-checkpoint that a
log of ours makes (63 hashes and a note) with room for a hundred cosignatures.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError

from saferoom.errors import PeerError
from saferoom.link.settings import MAX_CONTROL_BYTES
from saferoom.link.v1 import control_pb2 as wire

_KB = 1000
MOST_BYTES = {
    "hello": 64 * _KB,
    "decision": 64 * _KB,
    "request": 1000 * _KB,
    "answer": 64 * _KB,
    "reply": 256 * _KB,
    "start": 256 * _KB,
    "progress": 4 * _KB,
    "end": 1000 * _KB,
    "verdict": 64 * _KB,
    "cancel": 16 * _KB,
    "witness_ask": 70 * _KB,
    "witness_reply": 70 * _KB,
    "destroy": 64 * _KB,
}
"""Those that are not named may be as large as any control message: contracts, and offers of jobs."""
RUNNING_JOBS_MOST = 1000
"""Jobs that one hello may name."""

_KINDS = {field.number: field.name for field in wire.Control.DESCRIPTOR.fields}
_TAG_BYTES = 2
_LENGTH_DELIMITED = 2


def read_control(raw: bytes) -> wire.Control:
    """Parse one control message of one body.

    Raises:   PeerError if it is larger than its kind may be, or holds anything beside one body;
              DecodeError if it is none.
    """
    number, at = _varint(raw, 0, _TAG_BYTES)
    kind = _KINDS.get(number >> 3)
    if kind is None or number & 7 != _LENGTH_DELIMITED:
        raise DecodeError("a control message of no known kind")
    most = MOST_BYTES.get(kind, MAX_CONTROL_BYTES)
    if len(raw) > most:
        raise PeerError(f"a {kind} of more than {most} bytes", remedy="run the same SafeRoom version")
    size, at = _varint(raw, at, 5)
    if at + size != len(raw):
        raise DecodeError("more or less than one body in a control message")
    message = wire.Control.FromString(raw)
    if len(message.hello.running_jobs) > RUNNING_JOBS_MOST:
        raise PeerError(f"a hello that names more than {RUNNING_JOBS_MOST} jobs")
    return message


def _varint(raw: bytes, at: int, most: int) -> tuple[int, int]:
    """The number that begins at `at`, of at most that many bytes, and where it ends."""
    value = 0
    for place, byte in enumerate(raw[at : at + most]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise DecodeError("a number that does not end")
