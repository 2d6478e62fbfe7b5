"""Questions to witnesses that the coordinator passes on, and the answers it lets back.

An answer passes once, to who asked, while its question is open; so nobody can write into another's log or
fill its line. A party that asks on without waiting for answers is refused.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from saferoom.errors import PeerError
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.witnessing.cosigning import away

OPEN_MOST = 4
"""Open questions of one node to one witness; the oldest is forgotten for a fifth."""

Send = Callable[[str, wire.Control], bool]


class Questions:
    """Thread-safe."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], OrderedDict[int, None]] = {}

    def asked(self, ask: wire.WitnessAsk) -> None:
        """Pass a question on under its sender's name, or answer that the witness is away."""
        with self._lock:
            numbers = self._open.setdefault((ask.asker, ask.witness), OrderedDict())
            numbers[ask.number] = None
            if len(numbers) > OPEN_MOST:
                numbers.popitem(last=False)
        if not self._send(ask.witness, wire.Control(witness_ask=ask)):
            with self._lock:
                self._open.pop((ask.asker, ask.witness), None)
            self._send(ask.asker, wire.Control(witness_reply=away(ask)))

    def replied(self, reply: wire.WitnessReply) -> None:
        """Pass an answer back. Raises PeerError if its question is not open."""
        pair = (reply.asker, reply.witness)
        with self._lock:
            numbers = self._open.get(pair, OrderedDict())
            if reply.number not in numbers:
                raise PeerError("an answer that nobody asked for", party=reply.witness, step="witness")
            del numbers[reply.number]
            if not numbers:
                del self._open[pair]
        self._send(reply.asker, wire.Control(witness_reply=reply))
