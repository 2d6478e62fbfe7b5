"""A party's node: dials out to the coordinator, opens no port, and does only what its contracts name."""

from __future__ import annotations

import logging
import threading
import time

from saferoom import __version__
from saferoom.contracts.policy import Policy, load_policy
from saferoom.errors import SafeRoomError
from saferoom.ids import COORDINATOR
from saferoom.jobs.problem import UNKNOWN_STEP, Problem
from saferoom.link.control_limits import FROM_COORDINATOR, read_control
from saferoom.link.transport.partylink import LinkState, PartyLink
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core
from saferoom.node.daemons.party_contracts import PartyContracts
from saferoom.node.daemons.party_jobs import PartyJobs
from saferoom.node.processes.hub import JobHub
from saferoom.node.refusals import Refusals
from saferoom.node.retention.destroy_orders import DestroyOrders
from saferoom.node.settings import link_settings
from saferoom.node.witnessing.cosigning import ASK_WITNESSES_S, Cosigning, quietly

logger = logging.getLogger(__name__)

TICK_S = 0.5


class Party:
    """The party's daemon: `start`, then `stop`."""

    def __init__(self, core: Core) -> None:
        self.core = core
        patience = core.settings.patience
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._down_since: float | None = None
        self._news = threading.Event()
        self._is_new_link = self._is_link_known = False
        self._next_sweep = 0.0
        self._refusals = Refusals(self._record_refusal)
        self.link = LinkState(is_up=False, reason="not started")
        self._link = PartyLink(
            core.welcome().address,
            core.me,
            core.tls(),
            on_control=self.on_control,
            on_frame=self._on_frame,
            on_state=self._on_state,
            settings=link_settings(patience),
        )
        self.jobs = PartyJobs(core, self._policy, self._lock, self._send)
        self.contracts = PartyContracts(core, self._policy, self._send, self._contract_closed)
        self.orders = DestroyOrders(core, self.jobs.destroyer)
        self._hub = JobHub(core.me, self.jobs, self._link.send_frame, silent_s=patience.job_silent_s)
        self.jobs.hub = self._hub
        self.cosigning = Cosigning(core, lambda _node, message: self._send(message))
        self._early: list[bytes] | None = None
        self._ticker = threading.Thread(target=self._tick, name="tick", daemon=True)

    def start(self) -> None:
        """Ask the witnesses first: a log that was put back from a copy must not sign anything.

        Raises StorageError if a witness knows another history.
        """
        self._early = []
        self._link.start()
        self.cosigning.wait_until_asked(
            lambda: self.link.is_up if self._is_link_known else None, ASK_WITNESSES_S
        )
        try:
            self._begin()
        except BaseException:
            self._link.stop()
            raise
        self._ticker.start()

    def _begin(self) -> None:
        self.core.record("node.started")
        restarted = Problem(
            "PeerError", "this party's node was restarted", self.core.me, UNKNOWN_STEP, "start the job again"
        )
        self.jobs.fail_running(restarted)
        self.jobs.destroyer.sweep(at_start=True)
        with self._lock:
            early, self._early = self._early, None
        for raw in early or []:
            self.on_control(raw)

    def stop(self) -> None:
        self._stopping.set()
        self._news.set()
        self.cosigning.stop()
        self._hub.stop()
        self._link.stop()
        self._refusals.close()
        self.core.record("node.stopped")

    def lock(self) -> threading.RLock:
        """Held by the administration socket around every call that changes something."""
        return self._lock

    def _policy(self) -> Policy:
        """Read anew each time: the data officer's word counts from the moment it is written."""
        return load_policy(self.core.home.policy)

    def on_control(self, raw: bytes) -> None:
        """A message from the coordinator. What is wrong with it is logged, and stops nothing."""
        try:
            message = read_control(raw, FROM_COORDINATOR)
            if message.WhichOneof("body") in ("witness_ask", "witness_reply"):
                self._handle_witness(message)
                return
            with self._lock:
                if self._early is not None:
                    self._early.append(raw)
                    return
                self._handle(message)
        except SafeRoomError as error:
            logger.warning("a message from the coordinator was not accepted: %s", error.message)
            self._refusals.add(COORDINATOR, error.message)
        except Exception as error:
            logger.warning("a message from the coordinator could not be read: %s", type(error).__name__)
            self._refusals.add(COORDINATOR, "a message not in the format")

    def _record_refusal(self, party: str, reason: str) -> None:
        self.core.record("request.refused", outcome="refused", by=party, reason=reason)

    def _handle_witness(self, message: wire.Control) -> None:
        if message.HasField("witness_ask"):
            self._send(wire.Control(witness_reply=self.cosigning.asked(message.witness_ask)))
        else:
            self.cosigning.replied(message.witness_reply)

    def _handle(self, message: wire.Control) -> None:
        kind = message.WhichOneof("body")
        if kind == "contract":
            self.contracts.received(message.contract)
        elif kind == "offer":
            self.jobs.offered(message.offer)
        elif kind == "start":
            self.jobs.started(message.start)
        elif kind == "verdict":
            self.jobs.verdict(message.verdict)
        elif kind == "answer":
            self.jobs.answered(message.answer)
        elif kind == "destroy":
            self.orders.obey(message.destroy)

    def _on_frame(self, frame: bytes) -> None:
        self._hub.switchboard.deliver(frame)

    def _on_state(self, state: LinkState) -> None:
        """Runs in the link's thread: what takes time is left to the ticker."""
        self.link, self._is_link_known = state, True
        if state.is_up:
            self.cosigning.hurry()
            self._down_since = None
            self._hub.switchboard.link_up()
            self._is_new_link = True
        else:
            self._down_since = self._down_since or time.monotonic()
            self._hub.switchboard.link_down(state.reason)
        self._news.set()

    def _greet(self) -> None:
        """First words on a new line: what runs here, and what we decided."""
        self._is_new_link = False
        hello = wire.Hello(software=__version__, running_jobs=self.jobs.under_way())
        self._send(wire.Control(hello=hello))
        self.contracts.tell_decisions()
        self.tell_orders()

    def tell_orders(self) -> None:
        """Pass on this party's own orders to destroy. Said again on every new line."""
        for message in self.orders.known():
            if message.destroy.party == self.core.me:
                self._send(message)

    def _contract_closed(self, contract_id: str, state: str, reason: str) -> None:
        self.jobs.contract_closed(contract_id, state, reason)
        self._next_sweep = 0.0

    def _send(self, message: wire.Control) -> bool:
        return self._link.send_control(message.SerializeToString())

    def _tick(self) -> None:
        limit_s = self.core.settings.patience.coordinator_gone_s
        while not self._stopping.is_set():
            self._news.wait(TICK_S)
            self._news.clear()
            down = self._down_since
            try:
                with self._lock:
                    if self._is_new_link:
                        self._greet()
                    self.jobs.tick(time.monotonic())
                    self.contracts.expire()
                    self._sweep()
                    if down is not None and time.monotonic() - down > limit_s:
                        self.jobs.fail_running(_coordinator_gone(limit_s))
            except SafeRoomError as error:
                logger.warning("the node cannot do its round: %s", error.message)
            except Exception as error:  # a defect ends one round, not retention and all others
                logger.warning("the node cannot do its round: an unexpected %s", type(error).__name__)
            quietly(self._refusals.tick)
            quietly(lambda: self.cosigning.tick(nodes=self.link.is_up))

    def _sweep(self) -> None:
        """Destroy what is due, now and then, and when a contract was closed."""
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + self.core.settings.patience.sweep_s
            self.jobs.destroyer.sweep()


def _coordinator_gone(seconds: float) -> Problem:
    remedy = "see `saferoom party doctor`; start the job again when the coordinator is back"
    return Problem(
        "PeerError", f"the coordinator has been away for {seconds:g} s", COORDINATOR, UNKNOWN_STEP, remedy
    )
