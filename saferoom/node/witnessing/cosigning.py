"""The nodes of a room cosign each other's checkpoints, over the link that is there.

    WitnessAsk      party -> coordinator -> party      the coordinator fills in who asks
    WitnessReply    back the same way
    HTTP            to witnesses outside the room, such as an auditor's (node.yaml)

Whose keys count: those pinned in contracts this node approved, in its welcome, in the coordinator's register.
What a witness answers is signed; who passes it on can hold it back, not change it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from saferoom.audit.formats.note import NoteVerifier
from saferoom.audit.witness.feeder import AWAY, Fed, Feeder, Pace
from saferoom.audit.witness.http import ask_witness
from saferoom.audit.witness.witness import Answer
from saferoom.errors import ConfigError, SafeRoomError, VerificationError
from saferoom.link.transport.mailbox import Mailbox
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core
from saferoom.node.witnessing.quorums import witness_verifier

logger = logging.getLogger(__name__)

ASK_WITNESSES_S = 3.0
"""How long a start waits for the witnesses' answers. Without any the node starts, and is stopped later."""

Send = Callable[[str, wire.Control], bool]
"""`send(node, message)`: towards that node; whether the line is up."""


class Cosigning:
    """One node's part in it. Thread-safe; does not need the daemon's lock."""

    def __init__(self, core: Core, send: Send, pace: Pace | None = None) -> None:
        self._core = core
        self._send = send
        self._pace = pace or core.settings.witnessing.pace()
        self._feeders: dict[str, Feeder] = {}
        self._outside = {name: Outside(url, key) for name, url, key in _outside(core)}
        self._news = threading.Condition()

    def tick(self, *, nodes: bool = True) -> None:
        """If a witness is due, ask all about one and the same checkpoint. Never waits for an answer.

        Those outside alone with `nodes` false: the line is down.
        """
        names = [*self._outside, *(self._known() if nodes else ())]
        feeders = {name: self._feeder(name) for name in names}
        if any(feeder.due() for feeder in feeders.values()):
            note = self._core.log.checkpoint()
            for name, feeder in feeders.items():
                if not feeder.is_waiting():
                    self._ask(name, feeder, note)

    def stop(self) -> None:
        """Let go of the witnesses outside."""
        for outside in self._outside.values():
            outside.close()

    def hurry(self, node: str | None = None) -> None:
        """The line to `node` (default: to everybody) is new: ask at once."""
        for name, feeder in list(self._feeders.items()):
            if node in (None, name) and name not in self._outside:
                feeder.hurry()

    def states(self) -> list[Fed]:
        """How every witness of this node's log stands, by name."""
        return [feeder.state for _, feeder in sorted(self._feeders.items())]

    def words(self) -> list[str]:
        """For a status: each witness with the size it cosigned last, or why it did not."""
        return [f"{fed.witness}: {fed.refusal or f'{fed.size} entries'}" for fed in self.states()]

    def wait_until_asked(self, line: Callable[[], bool | None], timeout_s: float) -> None:
        """Wait until every witness that can be reached answered once, the log stopped, or the time is over.

        `line` says whether the line is up, None while nobody knows.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self._core.log.is_stopped:
            is_up = line()
            if is_up is not None:
                quietly(lambda is_up=is_up: self.tick(nodes=is_up))  # type: ignore[misc]
                if all(state.refusal or state.size >= 0 for state in self.states()):
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
        self._take(message.witness, message.number, Answer(message.status, message.body, message.held))

    def _take(self, name: str, number: int, answer: Answer) -> None:
        try:
            if self._feeders[name].answered(number, answer):
                self._ask(name, self._feeders[name])
        finally:
            with self._news:
                self._news.notify_all()

    def _ask(self, node: str, feeder: Feeder, note: str = "") -> None:
        number, request = feeder.request(note)
        if node in self._outside:
            outside = self._outside[node]
            outside.ask(request, lambda answer: self._take(node, number, answer))
            return
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
        if node in self._outside:
            return [self._outside[node].key]
        return [witness_verifier(node, key) for key in sorted(self._known().get(node, frozenset()))]


class Outside:
    """A witness that is no node of the room, asked over HTTP in a thread of its own."""

    def __init__(self, url: str, key: NoteVerifier) -> None:
        self.key = key
        self._url = url
        self._mailbox: Mailbox | None = None

    def ask(self, request: bytes, on_answer: Callable[[Answer], None]) -> None:
        """Post a request; the answer comes later."""
        self._mailbox = self._mailbox or Mailbox(f"witness {self.key.name}")
        self._mailbox.post(lambda: quietly(lambda: on_answer(ask_witness(self._url, request))))

    def close(self) -> None:
        if self._mailbox is not None:
            self._mailbox.close(timeout_s=0)


def _outside(core: Core) -> Iterator[tuple[str, str, NoteVerifier]]:
    """Name, address and key of the witnesses that node.yaml names. Raises ConfigError."""
    for witness in core.settings.witnessing.outside:
        try:
            key = NoteVerifier.parse(witness.key)
        except VerificationError as error:
            raise ConfigError(f"node.yaml: witnessing.outside: {error.message}", party=core.me) from error
        yield key.name, witness.url, key


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
    except Exception as error:
        logger.warning("cosigning: an unexpected %s", type(error).__name__)
