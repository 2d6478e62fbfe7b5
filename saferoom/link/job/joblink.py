"""A job's transport: sealed flows to its peers, through the pipe to the node's daemon.

    protocol ── send ──> Conversation ── writer ──> pipe ──> daemon ~~> peer
             <─ receive ─   (inbox)   <── reader ── pipe <── daemon <~~ peer

All state of a conversation lives here: numbers, acknowledgements, windows, ciphertexts to send again. The
daemons and the relay only move frames, and may lose them.

Two threads besides the protocol's own. The reader drains the pipe whenever the protocol does not wait for
something from it (`reading`). The writer seals and sends what `send` did not finish at once, and keeps the
timers. `send` never waits for a peer. A sender whose messages stay unread past `inbox_pause_bytes` is no
longer acknowledged until the protocol catches up.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from saferoom.channel.codec import label_of
from saferoom.channel.transport import Buffer
from saferoom.errors import CancelledError, PeerError, PeerTimeout, SafeRoomError, UsageError
from saferoom.link.cipher import FlowKeys
from saferoom.link.frames import Reason, parse_header
from saferoom.link.job.conversation import Conversation
from saferoom.link.job.reading import PipeReader
from saferoom.link.pipe import FIRST_SERVICE_KIND, OnService, Pipe, PipeKind
from saferoom.link.settings import DEFAULT_FLOW_LIMITS, SMALL_FRAME_BYTES, FlowLimits
from saferoom.link.transcript import Mark, Said

_IDLE_S = 5.0
_log = logging.getLogger(__name__)


class JobLink:
    """Implements `channel.Transport` for one job process. Made once for each set of keys."""

    def __init__(
        self,
        pipe: Pipe,
        me: str,
        job_id: bytes,
        session: int,
        keys: Mapping[str, FlowKeys],
        *,
        limits: FlowLimits = DEFAULT_FLOW_LIMITS,
        most_wait_s: float = math.inf,
        on_service: OnService | None = None,
    ) -> None:
        """`job_id`: 16 bytes. `on_service(kind, payload)` is called by whoever reads and must not wait.

        `most_wait_s`: how long a peer is waited for that is alive and sends nothing.
        """
        if len(job_id) != 16:
            raise UsageError("a job id is 16 bytes")
        self._pipe = pipe
        self._me = me
        self._limits = limits
        self._most_wait_s = most_wait_s
        self._on_service = on_service
        self._peers = {
            peer: Conversation(me, peer, (job_id, session), pair, limits) for peer, pair in keys.items()
        }
        self._pump_locks = {peer: threading.Lock() for peer in keys}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._wake = threading.Condition(self._lock)
        self._has_work = False
        self._asleep_until = 0.0
        self._waiting = 0
        self._reader = PipeReader(pipe, self._on_message, lambda: self._waiting > 0)
        self._error: SafeRoomError | None = None
        self._down_reason = "not connected yet"
        self._threads = [
            threading.Thread(target=self._read, name="link reader", daemon=True),
            threading.Thread(target=self._write, name="link writer", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        pipe.send(PipeKind.ATTACH)

    # -- for the protocol ------------------------------------------------------------------------

    @property
    def me(self) -> str:
        return self._me

    def send(self, to: str, parts: Sequence[Buffer]) -> None:
        """Queue one message; never waits. Raises PeerError past the outbox's cap or after a failure."""
        peer = self._peer(to)
        with self._lock:
            self._check()
            peer.put(parts)
            if self._outstanding() > self._limits.outbox_cap_bytes:
                raise PeerError(
                    f"more than {self._limits.outbox_cap_bytes} bytes wait to be taken",
                    party=to,
                    step=label_of(parts[0]),
                    remedy="send smaller portions, or find out why the peers do not read",
                )
            is_small = peer.out.unsealed_bytes <= SMALL_FRAME_BYTES
        # A small message is sealed here and now: waking the writer costs more than sealing.
        if not (is_small and self._try_pump(peer)):
            self._wake_writer()

    def receive(self, sender: str, timeout_s: float) -> Buffer:
        """The next message from `sender`. Raises PeerTimeout, or what ended the conversation.

        `timeout_s` counts from the peer's last sign of life: one that is at work is waited for.
        """
        peer = self._peer(sender)
        began = time.monotonic()
        with self._lock:
            while not peer.inbox:
                self._check()
                peer.check_not_ended()
                self._wait_for_peer(peer, began, timeout_s, "nothing came")
            message = peer.read(time.monotonic())
            self._wake_for(peer)
            return message

    def wait_for(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for something that `on_service` brings about; whether it came in time."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while not is_done():
                self._check()
                if not self._wait(deadline):
                    return False
        return True

    def wait_unsent_below(self, size_bytes: int, timeout_s: float) -> None:
        """Wait until less than this is unacknowledged over all peers: how a dealer stops running ahead."""
        self._wait_while(lambda: self._outstanding() >= size_bytes, timeout_s)

    def settle(self, timeout_s: float) -> dict[str, Said]:
        """Wait until everything that was sent is sealed; what was said to each peer so far."""
        began = time.monotonic()
        while True:
            for name, peer in self._peers.items():
                # Here and not by the writer alone: we may be the one who reads the pipe, and hear no notice.
                with self._pump_locks[name]:
                    self._pump(peer)
            with self._lock:
                said = {name: peer.said for name, peer in self._peers.items()}
                unsealed = next((name for name, words in said.items() if words is None), "")
                if not unsealed:
                    return {name: words for name, words in said.items() if words is not None}
                self._check()
                self._peers[unsealed].check_not_ended()
                self._wait_for_peer(self._peers[unsealed], began, timeout_s, "not everything was taken")

    def standing(self) -> dict[str, tuple[Said, Said]]:
        """What was sealed for each peer so far, and what came from it. Does not wait."""
        with self._lock:
            return {name: (peer.out.transcript.said(), peer.heard) for name, peer in self._peers.items()}

    def mark(self, to: str, body: bytes) -> None:
        """Cut the flow to a peer: all that was sent before, and `body` for the peer's node."""
        peer = self._peer(to)
        with self._lock:
            self._check()
            peer.put_mark(body)
        if not self._try_pump(peer):
            self._wake_writer()

    def marks(self) -> list[tuple[str, Mark]]:
        """The marks that came since the last call, each with its sender; does not wait."""
        with self._lock:
            return [(name, peer.marks.popleft()) for name, peer in self._peers.items() for _ in [*peer.marks]]

    def next_mark(self, sender: str, timeout_s: float) -> Mark:
        """The next mark of a peer. Raises PeerTimeout, or what ended the conversation."""
        peer = self._peer(sender)
        began = time.monotonic()
        with self._lock:
            while not peer.marks:
                self._check()
                peer.check_not_ended()
                self._wait_for_peer(peer, began, timeout_s, "nothing came")
            return peer.marks.popleft()

    def close(self, timeout_s: float = 60.0) -> None:
        """Wait until the peers have acknowledged everything, say goodbye, and end.

        Raises PeerTimeout if a peer does not, or what ended the conversation before.
        """
        self._wait_while(lambda: not all(peer.out.is_taken for peer in self._peers.values()), timeout_s)
        with self._lock:
            notices = [peer.goodbye() for peer in self._peers.values()]
        for notice in notices:
            self._pipe.send(PipeKind.FRAME, notice)
        self._pipe.send(PipeKind.CLOSED, *notices)
        self._fail(UsageError("the job's link was closed"))

    def abort(self, reason: Reason = Reason.FAILED) -> None:
        """Tell all peers that the job ends here without a result, and end."""
        for peer in self._peers.values():
            with self._lock:
                notice = peer.abort(reason)
            self._pipe.send(PipeKind.FRAME, notice)
        self._fail(CancelledError("the job was ended at this node"))

    def send_service(self, kind: int, payload: bytes) -> None:
        """Say something to the daemon; `kind` is 16 or more."""
        if kind < FIRST_SERVICE_KIND:
            raise UsageError(f"pipe kinds below {FIRST_SERVICE_KIND} are the link's own")
        self._pipe.send(kind, payload)

    # -- the reader ------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            while self._error is None:
                self._reader.stand_in()
                with self._lock:
                    # Those who waited for us take the turn.
                    self._changed.notify_all()
        except SafeRoomError as error:
            self._fail(error)

    def _on_message(self, kind: int, payload: bytes) -> None:
        try:
            self._take_in(kind, payload)
        except SafeRoomError as error:
            # Before anybody else reads on: what comes next makes no sense without this.
            self._fail(error)
            raise

    def _take_in(self, kind: int, payload: bytes) -> None:
        with self._lock:
            self._check()
        if kind == PipeKind.FRAME:
            self._on_frame(payload)
        elif kind == PipeKind.LINK_UP:
            self._on_link_up()
        elif kind == PipeKind.LINK_DOWN:
            with self._lock:
                self._down_reason = payload.decode(errors="replace") or "no reason given"
        elif kind >= FIRST_SERVICE_KIND and self._on_service is not None:
            self._on_service(kind, payload)
            with self._lock:
                self._changed.notify_all()

    def _on_frame(self, frame: bytes) -> None:
        header = parse_header(frame)
        peer = self._peers.get(header.sender)
        if peer is None:
            # Any enrolled party may address us; only the peers of this job have a key.
            _log.warning("a frame of a party that is not in this job was dropped")
            return
        now = time.monotonic()
        notice = None
        with self._lock:
            peer.on_frame(header, frame, now)
            self._check_inbox()
            if peer.must_acknowledge_now(now) and not self._down_reason:
                notice = peer.notice()
            self._changed.notify_all()
            if peer.out.has_work:
                self._wake_now()
            self._wake_for(peer)
        if notice is not None:
            self._pipe.send(PipeKind.FRAME, notice)

    def _on_link_up(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._down_reason = ""
            notices = [peer.link_is_up(now) for peer in self._peers.values()]
            self._wake_now()
        for notice in notices:
            self._pipe.send(PipeKind.FRAME, notice)

    def _check_inbox(self) -> None:
        unread = sum(peer.unread_bytes for peer in self._peers.values())
        if unread > self._limits.inbox_cap_bytes:
            fullest = max(self._peers.values(), key=lambda peer: peer.unread_bytes)
            raise PeerError(
                f"more than {self._limits.inbox_cap_bytes} bytes came that the job has not asked for yet",
                party=fullest.peer,
                step=label_of(fullest.inbox[0]),
            )

    # -- the writer ------------------------------------------------------------------------------

    def _write(self) -> None:
        try:
            while self._sleep():
                for peer in self._peers.values():
                    with self._pump_locks[peer.peer]:
                        self._pump(peer)
                    self._keep_time(peer)
        except SafeRoomError as error:
            self._fail(error)

    def _sleep(self) -> bool:
        """Wait for work or for the next deadline; whether to go on."""
        with self._lock:
            if not self._has_work and self._error is None:
                now = time.monotonic()
                times = [now + _IDLE_S]
                if self._asleep_until > now:
                    # A deadline that is void by now is slept out: the next one would wake us again at once.
                    times.append(self._asleep_until)
                if not self._down_reason:
                    due = [peer.next_deadline() for peer in self._peers.values()]
                    times += [at for at in due if at is not None]
                self._asleep_until = min(times)
                self._wake.wait(max(0.0, self._asleep_until - now))
            self._has_work = False
            return self._error is None

    def _keep_time(self, peer: Conversation) -> None:
        now = time.monotonic()
        with self._lock:
            if self._down_reason:
                return
            notice = peer.notice() if peer.must_acknowledge_now(now) else None
            alive = peer.sign_of_life(now)
            overdue = peer.overdue_frame(now)
        notice = notice or alive
        if notice is not None:
            self._pipe.send(PipeKind.FRAME, notice)
        if overdue is not None:
            self._pipe.send(PipeKind.FRAME, *overdue)

    def _try_pump(self, peer: Conversation) -> bool:
        """Send what may go, unless another thread is at it."""
        lock = self._pump_locks[peer.peer]
        if not lock.acquire(blocking=False):
            return False
        try:
            self._pump(peer)
        finally:
            lock.release()
        return True

    def _pump(self, peer: Conversation) -> None:
        """Hand frames to the daemon while the window allows. The caller holds the peer's pump lock."""
        while True:
            with self._lock:
                frame = None if self._down_reason else peer.next_frame(time.monotonic())
                if frame is None:
                    # Nobody may be awake to see the deadline of the frames just sent.
                    self._wake_for(peer)
                    return
            self._pipe.send(PipeKind.FRAME, *frame)

    # -- shared; the caller holds the lock where a condition is used ------------------------------

    def _wake_writer(self) -> None:
        with self._lock:
            self._wake_now()

    def _wake_now(self) -> None:
        self._has_work = True
        self._wake.notify()

    def _wake_for(self, peer: Conversation) -> None:
        """Wake the writer if it would sleep past something due: at most once a deadline, not once a frame."""
        at = peer.next_deadline()
        if at is not None and at < self._asleep_until:
            self._asleep_until = at
            self._wake.notify()

    def _wait_while(self, is_too_much: Callable[[], bool], timeout_s: float) -> None:
        """Wait for the peers to take what they were sent."""
        began = time.monotonic()
        with self._lock:
            while is_too_much():
                self._check()
                slowest = max(
                    self._peers.values(), key=lambda peer: (peer.out.outstanding_bytes, not peer.out.is_taken)
                )
                slowest.check_not_ended()
                self._wait_for_peer(slowest, began, timeout_s, "not everything was taken")

    def _wait_for_peer(self, peer: Conversation, began: float, timeout_s: float, problem: str) -> None:
        """Wait on: for `timeout_s` since it began or the peer last said that it is alive."""
        last, most = began + self._most_wait_s, max(began, peer.heard_at) + timeout_s
        if self._wait(min(last, most)):
            return
        line = f"; our link to the coordinator is down: {self._down_reason}" if self._down_reason else ""
        if last < most:
            raise PeerTimeout(
                f"{problem} for {self._most_wait_s:g} s, though the peer is alive{line}",
                party=peer.peer,
                remedy="raise progress_s in node.yaml, or look there what it waits for",
            )
        raise PeerTimeout(f"{problem} for {timeout_s:g} s{line}", party=peer.peer)

    def _wait(self, deadline: float) -> bool:
        """Wait until something may have changed, reading the pipe if nobody does; whether there was time."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if not self._reader.take_turn():
            self._waiting += 1
            try:
                self._changed.wait(left)
            finally:
                self._waiting -= 1
            return True
        self._lock.release()
        try:
            self._reader.read(left)
        except SafeRoomError as error:
            self._fail(error)
        finally:
            self._lock.acquire()
        if self._waiting:
            self._changed.notify_all()
        return True

    def _outstanding(self) -> int:
        return sum(peer.out.outstanding_bytes for peer in self._peers.values())

    def _peer(self, name: str) -> Conversation:
        try:
            return self._peers[name]
        except KeyError:
            raise UsageError(f"{name!r} is not a peer of this job; peers are {sorted(self._peers)}") from None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, error: SafeRoomError) -> None:
        with self._lock:
            if self._error is None:
                self._error = error
            self._changed.notify_all()
            self._wake.notify()
