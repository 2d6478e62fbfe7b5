"""How large a control message of each kind may be: looked at before anything of it is parsed.

A parsed message can take fifteen times the memory of its bytes, so the limit must stand before the parser.
Sources: `protos/saferoom/v1/control.proto`; for witnesses the largest request of C2SP add-checkpoint that a
log of ours makes (63 hashes and a note) with room for a hundred cosignatures.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import DecodeError

from saferoom.errors import PeerError
from saferoom.link.settings import MAX_CONTROL_BYTES
from saferoom.link.v1 import control_pb2 as wire

_KB = 1000
_BOTH_WAYS = {"witness_ask": 70 * _KB, "witness_reply": 70 * _KB, "destroy": 64 * _KB}
FROM_PARTIES = {
    **_BOTH_WAYS,
    "hello": 64 * _KB,
    "decision": 64 * _KB,
    "request": 1000 * _KB,
    "reply": 256 * _KB,
    "progress": 4 * _KB,
    "end": 1000 * _KB,
    "cancel": 16 * _KB,
}
"""What a party says, with the most bytes of each; it says nothing else."""
FROM_COORDINATOR = {
    **_BOTH_WAYS,
    "contract": MAX_CONTROL_BYTES,
    "answer": 2000 * _KB,
    "offer": MAX_CONTROL_BYTES,
    "start": 2000 * _KB,
    "verdict": 2000 * _KB,
}
"""What the coordinator says: verdicts hold a problem that a party told, offers the parameters of a job."""
MOST_FROM_PARTIES = max(FROM_PARTIES.values())
RUNNING_JOBS_MOST = 1000
"""Jobs that one hello may name."""

_KINDS = {field.number: field.name for field in wire.Control.DESCRIPTOR.fields}
_TAG_BYTES = 2
_LENGTH_DELIMITED = 2


def read_control(raw: bytes, most_bytes: Mapping[str, int]) -> wire.Control:
    """Parse one control message of one body. `most_bytes`: the kinds that its sender may say.

    Raises:   PeerError if its sender does not say such messages, or it is larger than its kind may be;
              DecodeError if it is none, or holds anything beside one body.
    """
    number, at = _varint(raw, 0, _TAG_BYTES)
    kind = _KINDS.get(number >> 3)
    if kind is None or number & 7 != _LENGTH_DELIMITED:
        raise DecodeError("a control message of no known kind")
    if kind not in most_bytes:
        raise PeerError(f"a control message of kind {kind} does not come from this side")
    if len(raw) > most_bytes[kind]:
        raise PeerError(
            f"a {kind} of more than {most_bytes[kind]} bytes", remedy="run the same SafeRoom version"
        )
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
