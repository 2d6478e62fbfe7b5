"""The nodes of a room cosign each other's checkpoints, over the link that is there.

    WitnessAsk      party -> coordinator -> party      the coordinator fills in who asks
    WitnessReply    back the same way

Whose keys count: those pinned in contracts this node approved, in its welcome, in the coordinator's register.
What a witness answers is signed; who passes it on can hold it back, not change it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from saferoom.audit.feeder import AWAY, Fed, Feeder, Pace
from saferoom.audit.note import NoteVerifier
from saferoom.audit.witness import Answer
from saferoom.errors import SafeRoomError, VerificationError
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core
from saferoom.node.quorums import witness_verifier

logger = logging.getLogger(__name__)

Send = Callable[[str, wire.Control], bool]
"""`send(node, message)`: towards that node; whether the line is up."""


class Cosigning:
    """One node's part in it. Thread-safe; does not need the daemon's lock."""

    def __init__(self, core: Core, send: Send, pace: Pace | None = None) -> None:
        self._core = core
        self._send = send
        self._pace = pace or core.settings.witnessing.pace()
        self._feeders: dict[str, Feeder] = {}
        self._news = threading.Condition()

    def tick(self) -> None:
        """If a witness is due, ask all about one and the same checkpoint. Never waits for an answer."""
        feeders = {node: self._feeder(node) for node in self._known()}
        if any(feeder.due() for feeder in feeders.values()):
            note = self._core.log.checkpoint()
            for node, feeder in feeders.items():
                if not feeder.is_waiting():
                    self._ask(node, feeder, note)

    def hurry(self, node: str | None = None) -> None:
        """The line to `node` (default: to everybody) is new: ask at once."""
        for name, feeder in list(self._feeders.items()):
            if node in (None, name):
                feeder.hurry()

    def states(self) -> list[Fed]:
        """How every witness of this node's log stands, by name."""
        return [feeder.state for _, feeder in sorted(self._feeders.items())]

    def wait_until_asked(self, line: Callable[[], bool | None], timeout_s: float) -> None:
        """Wait until every witness answered once, the log stopped, or the time is over.

        `line` says whether the line is up, None while nobody knows; nobody can be asked while it is down.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self._core.log.is_stopped and line() is not False:
            if line():
                quietly(self.tick)
                states = self.states()
                if states and all(state.refusal or state.size >= 0 for state in states):
                    return
            with self._news:
                self._news.wait(0.05)

    def asked(self, message: wire.WitnessAsk) -> wire.WitnessReply:
        """Answer another node's question as its witness. Raises StorageError: then nothing was signed."""
        answer = self._core.witness.add_checkpoint(message.request)
        return reply_to(message, answer)

    def replied(self, message: wire.WitnessReply) -> None:
        """Take in what a witness of this node's log answered.

        Raises VerificationError for a cosignature that is not what it claims to be.
        """
        feeder = self._feeders.get(message.witness)
        if feeder is None:
            raise VerificationError("an answer that nobody asked for", party=message.witness, step="witness")
        answer = Answer(message.status, message.body, message.held)
        try:
            if feeder.answered(message.number, answer):
                self._ask(message.witness, feeder)
        finally:
            with self._news:
                self._news.notify_all()

    def _ask(self, node: str, feeder: Feeder, note: str = "") -> None:
        number, request = feeder.request(note)
        ask = wire.WitnessAsk(asker=self._core.me, witness=node, number=number, request=request)
        if not self._send(node, wire.Control(witness_ask=ask)):
            feeder.answered(number, Answer(AWAY, "the line is down"))

    def _known(self) -> Mapping[str, frozenset[bytes]]:
        return self._core.acquaintances.log_keys()

    def _feeder(self, node: str) -> Feeder:
        if node not in self._feeders:
            self._feeders[node] = Feeder(self._core.log, node, lambda: self._keys(node), self._pace)
        return self._feeders[node]

    def _keys(self, node: str) -> list[NoteVerifier]:
        return [witness_verifier(node, key) for key in sorted(self._known().get(node, frozenset()))]


def reply_to(message: wire.WitnessAsk, answer: Answer) -> wire.WitnessReply:
    """An answer to a question, as it travels back."""
    return wire.WitnessReply(
        asker=message.asker,
        witness=message.witness,
        number=message.number,
        status=answer.status,
        body=answer.body,
        held=answer.held,
    )


def away(message: wire.WitnessAsk) -> wire.WitnessReply:
    """What the coordinator answers for a witness that is not connected."""
    return reply_to(message, Answer(AWAY, "the witness is not connected"))


def quietly(call: Callable[[], None]) -> None:
    """Run one round of cosigning; what goes wrong is logged and stops nothing else."""
    try:
        call()
    except SafeRoomError as error:
        logger.warning("cosigning: %s", error.message)
