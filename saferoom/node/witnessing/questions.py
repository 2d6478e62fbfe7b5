"""Questions to witnesses that the coordinator passes on, and the answers it lets back.

An answer passes once, to who asked, while its question is open; so nobody can write into another's log or
fill its line. A party that asks on without waiting for answers is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from saferoom.errors import PeerError
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.witnessing.cosigning import away

OPEN_MOST = 4
"""Open questions of one node to one witness."""
OPEN_S = 15.0
"""A question is open so long: who asked has given it up by then."""

Send = Callable[[str, wire.Control], bool]


class Questions:
    """Thread-safe."""

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send, self._clock = send, clock
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], list[tuple[int, float]]] = {}

    def asked(self, ask: wire.WitnessAsk) -> None:
        """Pass a question on, or answer that the witness is away. Raises PeerError if too many are open."""
        pair, question = (ask.asker, ask.witness), (ask.number, self._clock())
        with self._lock:
            still_open = self._still_open(pair)
            if len(still_open) >= OPEN_MOST:
                raise PeerError("it asks a witness again and again", party=ask.asker, step="witness")
            self._open[pair] = [*still_open, question]
        if not self._send(ask.witness, wire.Control(witness_ask=ask)):
            with self._lock:
                self._close(pair, question)
            self._send(ask.asker, wire.Control(witness_reply=away(ask)))

    def replied(self, reply: wire.WitnessReply) -> None:
        """Pass an answer back. Raises PeerError if its question is not open."""
        pair = (reply.asker, reply.witness)
        with self._lock:
            fitting = [question for question in self._still_open(pair) if question[0] == reply.number]
            if not fitting:
                raise PeerError("an answer that nobody asked for", party=reply.witness, step="witness")
            self._close(pair, fitting[0])
        self._send(reply.asker, wire.Control(witness_reply=reply))

    def _still_open(self, pair: tuple[str, str]) -> list[tuple[int, float]]:
        since = self._clock() - OPEN_S
        return [question for question in self._open.get(pair, []) if question[1] > since]

    def _close(self, pair: tuple[str, str], question: tuple[int, float]) -> None:
        self._open[pair] = [each for each in self._open.get(pair, []) if each != question]
        if not self._open[pair]:
            del self._open[pair]
