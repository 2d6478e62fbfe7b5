"""The coordinator: relays sealed frames, keeps contracts' signatures, schedules jobs. Reads nothing.

One lock guards its state; the relay's worker threads, the helper's job threads and the administration
socket all come in through it. Everything it tells the parties it can tell again after a reconnect.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from saferoom.contracts.contract import Contract
from saferoom.errors import SafeRoomError
from saferoom.identity.keys import NodeKeys
from saferoom.identity.register import Register
from saferoom.ids import HELPER
from saferoom.jobs.problem import Problem
from saferoom.jobs.spec import read_params
from saferoom.link.allowance import Allowance
from saferoom.link.control_limits import FROM_PARTIES, MOST_FROM_PARTIES, read_control
from saferoom.link.relay.flow_book import FlowBook
from saferoom.link.relay.relay import Relay
from saferoom.link.settings import NetworkEmulation, RelayLimits
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core
from saferoom.node.daemons.contract_desk import ContractDesk
from saferoom.node.daemons.job_desk import JobDesk
from saferoom.node.processes.hub import JobHub
from saferoom.node.refusals import Refusals
from saferoom.node.retention.destroy_orders import DestroyOrders, OrderDesk
from saferoom.node.settings import link_settings
from saferoom.node.witnessing.cosigning import ASK_WITNESSES_S, Cosigning, quietly
from saferoom.node.witnessing.questions import Questions

logger = logging.getLogger(__name__)

TICK_S = 0.5
HELLOS_PER_S, HELLOS_AT_ONCE = 0.5, 10
"""A hello is said once after every connect, and answered with everything its sender may have missed."""


class Coordinator:
    """The coordinator's daemon: `start`, then `stop`."""

    def __init__(
        self, core: Core, helper_keys: NodeKeys, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` counts the seconds after which the same refusal is logged again."""
        self.core = core
        patience = core.settings.patience
        self.helper_public = helper_keys.public()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._next_sweep = 0.0
        self.refusals = Refusals(self._record_refusal, clock)
        self._hellos: dict[str, Allowance] = {}
        self._greetings: dict[str, set[str]] = {}
        flows = FlowBook()
        self._relay = Relay(
            core.settings.listen,
            core.tls(),
            on_control=self.on_control,
            on_connect=self._on_connect,
            on_disconnect=self._on_disconnect,
            allowed=self._is_admitted,
            emulation=NetworkEmulation(
                core.settings.network.latency_ms, core.settings.network.mbit_per_s or 0.0
            ),
            settings=link_settings(patience),
            on_refused=self.refusals.add,
            book=flows,
            limits=RelayLimits(message_bytes=MOST_FROM_PARTIES, inbox_bytes=16 * MOST_FROM_PARTIES),
        )
        self.jobs = JobDesk(core, helper_keys, self._lock, self._send, self._relay.connected, flows)
        self.contracts = ContractDesk(core, self._send, self._contract_closed)
        self._orders = OrderDesk(DestroyOrders(core, self.jobs.destroyer), core, self._send)
        self._hub = JobHub(HELPER, self.jobs, self._relay_helper_frame, silent_s=patience.job_silent_s)
        self.jobs.hub = self._hub
        self.cosigning = Cosigning(core, self._send)
        self._questions = Questions(self._send)
        self._ticker = threading.Thread(target=self._tick, name="tick", daemon=True)

    def start(self) -> int:
        """Serve; returns the port. Witnesses outside the room are asked before anything is signed.

        Raises StorageError if one knows another history of the log.
        """
        self.cosigning.wait_until_asked(lambda: False, ASK_WITNESSES_S)
        self.core.record("node.started")
        self.jobs.end_orphans()
        self.jobs.destroyer.sweep(at_start=True)
        self._relay.attach_local(HELPER, self._deliver_to_helper)
        port = self._relay.start()
        self._hub.switchboard.link_up()
        self._ticker.start()
        return port

    def stop(self) -> None:
        self._stopping.set()
        self.cosigning.stop()
        with self._lock:
            self.jobs.end_all()
        self._hub.stop()
        self._relay.stop()
        self.refusals.close()
        self.core.record("node.stopped")

    def connected(self) -> set[str]:
        return self._relay.connected()

    def propose(self, contract: Contract) -> None:
        with self._lock:
            self.contracts.propose(contract)

    def revoke(self, contract_id: str, reason: str) -> None:
        with self._lock:
            self.contracts.revoke(contract_id, reason)

    def submit(self, contract_id: str, kind: str, params: Mapping[str, Any], *, by: str) -> str:
        with self._lock:
            return self.jobs.submit(contract_id, kind, params, by=by)

    def cancel(self, job_id: str, by: str, reason: str) -> None:
        with self._lock:
            self.jobs.cancel(job_id, by, reason)

    # -- the relay's callbacks ---------------------------------------------------------------------

    def on_control(self, party: str, raw: bytes) -> None:
        """A message from a party. What it does wrong is answered or logged, and hurts nobody else."""
        try:
            message = read_control(raw, FROM_PARTIES)
            if message.WhichOneof("body") in ("witness_ask", "witness_reply"):
                self._handle_witness(party, message)
                return
            with self._lock:
                self._handle(party, message)
        except SafeRoomError as error:
            logger.warning("a message from %s was not accepted: %s", party, error.message)
            self.refusals.add(party, error.message)
        except Exception as error:
            logger.warning("a message from %s could not be read: %s", party, type(error).__name__)
            self.refusals.add(party, "a message not in the format")

    def _handle_witness(self, party: str, message: wire.Control) -> None:
        """Answer as a witness ourselves, take in an answer to us, or pass it on under the sender's name."""
        if message.HasField("witness_ask"):
            ask = message.witness_ask
            ask.asker = party
            if ask.witness == self.core.me:
                self._send(party, wire.Control(witness_reply=self.cosigning.asked(ask)))
            else:
                self._questions.asked(ask)
        else:
            reply = message.witness_reply
            reply.witness = party
            if reply.asker == self.core.me:
                self.cosigning.replied(reply)
            else:
                self._questions.replied(reply)

    def _handle(self, party: str, message: wire.Control) -> None:
        kind = message.WhichOneof("body")
        if kind == "hello":
            self._greetings[party] = set(message.hello.running_jobs)
            self._greet(party)
        elif kind == "decision":
            self.contracts.decided(party, message.decision)
        elif kind == "request":
            self._answer_request(party, message.request)
        elif kind == "reply":
            reply = message.reply
            problem = None if reply.accepted else Problem.from_wire(reply.problem)
            self.jobs.runs.reply(reply.job_id, party, problem, reply.sealed_keys)
        elif kind == "progress":
            self._progress(party, message.progress)
        elif kind == "end":
            end = message.end
            problem = None if end.finished else Problem.from_wire(end.problem)
            self.jobs.runs.part_ended(end.job_id, party, problem, json.loads(end.summary_json or "{}"))
        elif kind == "cancel":
            self.jobs.cancel(message.cancel.job_id, party, message.cancel.reason)
        elif kind == "destroy":
            self._orders.received(party, message.destroy)

    def _greet(self, party: str) -> None:
        """Tell a party what it may have missed. Who says hello too often waits; its last hello counts."""
        if not self._hellos.setdefault(party, Allowance(HELLOS_PER_S, HELLOS_AT_ONCE)).take():
            return
        running = self._greetings.pop(party)
        self.contracts.tell(party)
        self.jobs.tell_verdicts(party, running)
        self.jobs.runs.connected(party, running)
        self._orders.tell(party)

    def _answer_request(self, party: str, request: wire.JobRequest) -> None:
        answer = wire.JobRequestAnswer(request_id=request.request_id)
        params = read_params(request.params_json)
        try:
            answer.job_id = self.jobs.submit(
                request.contract_id,
                request.kind,
                params,
                by=party,
                request_id=request.request_id,
            )
        except SafeRoomError as error:
            answer.problem.CopyFrom(Problem.of(error, party="", step="submit").to_wire())
        self._send(party, wire.Control(answer=answer))

    def _progress(self, party: str, message: wire.JobProgress) -> None:
        run = self.jobs.runs.get(message.job_id)
        if run is not None and party in run.parties:
            progress = {
                "phase": message.phase,
                "done": message.done,
                "total": message.total,
                "sent_bytes": message.sent_bytes,
            }
            self.jobs.watch.progress(message.job_id, party, progress)

    def _on_connect(self, party: str) -> None:
        self.cosigning.hurry(party)

    def _contract_closed(self, contract: Contract, state: str, by: str) -> None:
        self.jobs.contract_closed(contract, state, by)
        self._next_sweep = 0.0

    def _sweep(self) -> None:
        """Destroy what is due, now and then, and when a contract was closed."""
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + self.core.settings.patience.sweep_s
            self.jobs.destroyer.sweep()

    def _on_disconnect(self, party: str) -> None:
        with self._lock:
            self.jobs.runs.disconnected(party)

    def _record_refusal(self, party: str, reason: str) -> None:
        self.core.record("request.refused", outcome="refused", by=party, reason=reason)

    def _is_admitted(self, party: str, serial: int) -> bool:
        """Only the latest certificate counts. Read anew each time: who was put out stays out at once."""
        try:
            Register.load(self.core.home.register).check_admitted(party, serial)
        except SafeRoomError as error:
            logger.warning("a connection was refused: %s", error.message)
            return False
        return True

    def _cut_off_the_put_out(self) -> None:
        """End the lines of parties that were put out of the register while they were connected."""
        for party in self._relay.connected() - set(Register.load(self.core.home.register).public_keys()):
            self._relay.disconnect(party, f"{party} was put out of the room")

    def _send(self, party: str, message: wire.Control) -> bool:
        return self._relay.send_control(party, message.SerializeToString())

    def _deliver_to_helper(self, frame: bytes) -> None:
        self._hub.switchboard.deliver(frame)

    def _relay_helper_frame(self, frame: bytes) -> None:
        self._relay.submit_local(HELPER, frame)

    def _tick(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                with self._lock:
                    for party in list(self._greetings):
                        self._greet(party)
                    self.jobs.write_flows()
                    self.jobs.runs.tick(time.monotonic())
                    self.contracts.expire()
                    self._sweep()
                self._cut_off_the_put_out()
            except SafeRoomError as error:
                logger.warning("the coordinator cannot do its round: %s", error.message)
            except Exception as error:  # a defect ends one round, not retention and all others
                logger.warning("the coordinator cannot do its round: an unexpected %s", type(error).__name__)
            quietly(self.refusals.tick)
            quietly(self.cosigning.tick)
