"""Sealing the frames of one flow: AES-256-GCM, one key a direction, each number used once.

The key belongs to one (job, session, direction) and is fresh for every start of a job process; the nonce
is the session (4 bytes) and the sequence number (8 bytes). A sealer counts for itself and never seals
under a number twice: what has to be sent again is sent as it was sealed the first time.
Source: NIST SP 800-38D, §8.2.1 (deterministic construction of the nonce).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from saferoom.channel.transport import Buffer
from saferoom.errors import ProtocolError, UsageError, VerificationError
from saferoom.link.frames import (
    AUTHENTICATED_BYTES,
    HEADER_BYTES,
    OVERHEAD_BYTES,
    Flag,
    FrameHeader,
    Kind,
)

KEY_BYTES = 32
MAX_SEQUENCE = 1 << 48
_NONCE = struct.Struct(">IQ")
_ACKNOWLEDGED = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class FlowKeys:
    """The two keys an endpoint shares with one peer, 32 bytes each. Never used for two job processes."""

    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.send) != KEY_BYTES or len(self.receive) != KEY_BYTES:
            raise UsageError(f"flow keys are {KEY_BYTES} bytes each")
        if self.send == self.receive:
            raise UsageError("the two directions of a flow need two keys")


@dataclass(frozen=True, slots=True)
class SealedFrame:
    """A frame that is ready for the wire but for the acknowledgement it will carry."""

    sequence: int
    head: bytes
    body: bytes
    size_bytes: int

    def parts(self, acknowledged: int) -> tuple[bytes, bytes]:
        """Header and body, with this acknowledgement filled in."""
        return self.head + _ACKNOWLEDGED.pack(acknowledged), self.body


class FlowSealer:
    """Seals the fragments one endpoint sends to one peer, numbering them from 0."""

    def __init__(self, key: bytes, job_id: bytes, session: int, sender: str, receiver: str) -> None:
        self._cipher = AESGCM(key)
        self._address = (job_id, session, sender, receiver)
        self._session = session
        self.next_sequence = 0

    def seal(self, fragment: Buffer, flags: Flag) -> SealedFrame:
        """Seal one fragment under the next number."""
        sequence = self.next_sequence
        if sequence >= MAX_SEQUENCE:
            raise ProtocolError("a flow has used up its sequence numbers")
        self.next_sequence += 1
        head = FrameHeader(Kind.DATA, *self._address, sequence=sequence, flags=flags).pack()
        head = head[:AUTHENTICATED_BYTES]
        body = self._cipher.encrypt(_NONCE.pack(self._session, sequence), fragment, head)
        return SealedFrame(sequence, head, body, len(fragment) + OVERHEAD_BYTES)


class FlowOpener:
    """Opens the frames one peer sent to this endpoint."""

    def __init__(self, key: bytes, session: int, sender: str) -> None:
        self._cipher = AESGCM(key)
        self._session = session
        self._sender = sender

    def open(self, frame: bytes, sequence: int) -> bytes:
        """The fragment in `frame`. Raises VerificationError if anything but the acknowledgement changed."""
        view = memoryview(frame)
        try:
            return self._cipher.decrypt(
                _NONCE.pack(self._session, sequence), view[HEADER_BYTES:], view[:AUTHENTICATED_BYTES]
            )
        except InvalidTag as error:
            raise VerificationError(
                f"frame {sequence} does not open: it was changed on the way or sealed with another key",
                party=self._sender,
                remedy="start the job again; if it happens again, the coordinator alters messages",
            ) from error
