"""The daemon's end of the jobs: which frame goes to which process, and what to say when there is none.

    expected   accepted, its process is not attached yet: frames are dropped; the job asks for them again
    attached   a JobPort passes frames both ways
    ended      well: its last acknowledgement is repeated, for peers that missed it
               badly: answered with an abort that says so
    unknown    never heard of: answered with an abort, so that the sender fails at once

The daemon holds no key of any job and keeps no flow state. It does check that a job speaks for itself only.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable

from saferoom.errors import PeerError, SafeRoomError
from saferoom.link.credit import CreditError
from saferoom.link.frames import (
    HEADER_BYTES,
    RECEIVER,
    SENDER,
    Flag,
    FrameHeader,
    Kind,
    Reason,
    check_frame,
    endpoint_bytes,
    parse_header,
)
from saferoom.link.pipe import FIRST_SERVICE_KIND, OnService, Pipe, PipeClosedError, PipeKind
from saferoom.link.settings import FRAME_BYTES

ENDED_JOBS_KEPT = 1024
JOB = slice(4, 24)
"""Job id and session as they stand in a header."""
_log = logging.getLogger(__name__)

SendFrame = Callable[[bytes], None]


class JobPort:
    """One attached job process. Made by `Switchboard.attach`."""

    def __init__(self, board: Switchboard, job: bytes, pipe: Pipe, on_service: OnService) -> None:
        self.peers: set[bytes] = set()
        self._board = board
        self._job = job
        self._pipe = pipe
        self._on_service = on_service
        self._is_ready = False
        self._thread = threading.Thread(target=self._read, name="job port", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send_service(self, kind: int, payload: bytes) -> None:
        """Say something to the job process. Raises PipeClosedError if it is gone."""
        self._pipe.post(kind, payload)

    def close(self) -> None:
        """Close the pipe; the job process sees its end."""
        self._pipe.close()

    def deliver(self, frame: bytes) -> None:
        """Pass a frame to the job; before it is ready frames are dropped, and asked for again later."""
        if self._is_ready:
            self._post(PipeKind.FRAME, frame)

    def tell_link(self, is_up: bool, reason: str) -> None:
        """Tell the job about the line to the coordinator."""
        if self._is_ready:
            self._post(PipeKind.LINK_UP if is_up else PipeKind.LINK_DOWN, reason.encode())

    def _post(self, kind: int, payload: bytes) -> None:
        try:
            self._pipe.post(kind, payload)
        except PipeClosedError:
            _log.debug("a frame came for a job process that has just ended")
        except PeerError:
            _log.warning("a job process does not read its pipe and is cut off")
            self._pipe.close()

    def _read(self) -> None:
        is_well = False
        try:
            while True:
                kind, payload = self._pipe.receive()
                if kind == PipeKind.FRAME:
                    self._pass_on(payload)
                elif kind == PipeKind.ATTACH:
                    self._is_ready = True
                    self._board.report_link(self)
                elif kind == PipeKind.CLOSED:
                    # The link is closed, the process may still have something to say to its node.
                    is_well, self._is_ready = True, False
                    self._board.remember(self._job, payload)
                elif kind >= FIRST_SERVICE_KIND:
                    self._on_service(kind, payload)
        except PipeClosedError:
            _log.debug("a job process has ended")
        except SafeRoomError as error:
            is_well = False
            _log.warning("a job process is cut off: %s", error)
        self._pipe.close()
        self._board.ended(self._job, self, is_well)

    def _pass_on(self, frame: bytes) -> None:
        check_frame(frame, max_bytes=FRAME_BYTES)
        if frame[JOB] != self._job or frame[SENDER] != self._board.endpoint:
            raise PeerError("a job process sent a frame in another's name")
        self.peers.add(frame[RECEIVER])
        self._board.send(frame)


class Switchboard:
    """All jobs of one node. Thread-safe; nothing here waits."""

    def __init__(self, me: str, send_frame: SendFrame) -> None:
        self.endpoint = endpoint_bytes(me)
        self.send = send_frame
        self._me = me
        self._lock = threading.Lock()
        self._expected: set[bytes] = set()
        self._ports: dict[bytes, JobPort] = {}
        self._on_ended: dict[bytes, Callable[[bool], None]] = {}
        self._notices: OrderedDict[bytes, dict[bytes, bytes]] = OrderedDict()
        """Last words of ended jobs, per peer; of jobs that ended badly, none."""
        self._link = (False, "not connected yet")

    def expect(self, job_id: bytes, session: int) -> None:
        """The job is accepted and its process will be attached: do not call it unknown meanwhile."""
        with self._lock:
            self._expected.add(_job(job_id, session))

    def forget(self, job_id: bytes, session: int) -> None:
        """The job will not run here after all, or its end need not be remembered."""
        job = _job(job_id, session)
        with self._lock:
            self._expected.discard(job)
            self._notices.pop(job, None)

    def attach(
        self,
        job_id: bytes,
        session: int,
        pipe: Pipe,
        *,
        on_service: OnService,
        on_ended: Callable[[bool], None],
    ) -> JobPort:
        """Connect a job. `on_ended(well)` is called once, by the port's thread, when the pipe ends."""
        job = _job(job_id, session)
        port = JobPort(self, job, pipe, on_service)
        with self._lock:
            self._expected.discard(job)
            self._notices.pop(job, None)
            self._ports[job] = port
            self._on_ended[job] = on_ended
        port.start()
        return port

    def deliver(self, frame: bytes) -> None:
        """A frame from the network: to its job, or an answer to its sender. Garbage is dropped."""
        if len(frame) < HEADER_BYTES or frame[RECEIVER] != self.endpoint:
            _log.warning("a frame that is not for this node was dropped")
            return
        job = frame[JOB]
        with self._lock:
            port = self._ports.get(job)
            is_expected = job in self._expected
            notices = self._notices.get(job)
        if notices is not None:
            self._answer(frame, notices.get(frame[SENDER]), Reason.FAILED)
        elif port is not None:
            port.deliver(frame)
        elif not is_expected:
            self._answer(frame, None, Reason.UNKNOWN_JOB)

    def link_up(self) -> None:
        """The line to the coordinator is up: every job starts again where its peers are."""
        self._tell(True, "")

    def link_down(self, reason: str) -> None:
        """The line to the coordinator is down."""
        self._tell(False, reason)

    def report_link(self, port: JobPort) -> None:
        """Tell one job how the line is: it has just become ready."""
        with self._lock:
            is_up, reason = self._link
        port.tell_link(is_up, reason)

    def remember(self, job: bytes, notices: bytes) -> None:
        """A job has ended well: keep its last notices, for peers that miss them."""
        frames = [notices[at : at + HEADER_BYTES] for at in range(0, len(notices), HEADER_BYTES)]
        with self._lock:
            self._keep(job, {frame[RECEIVER]: frame for frame in frames})

    def ended(self, job: bytes, port: JobPort, is_well: bool) -> None:
        """A job's pipe has ended. If not well, its peers are told."""
        with self._lock:
            if self._ports.get(job) is not port:
                return
            del self._ports[job]
            on_ended = self._on_ended.pop(job)
            if not is_well:
                self._keep(job, {})
        # The node first: it reports the cause, and the peers' jobs could only report that there was one.
        try:
            on_ended(is_well)
        finally:
            if not is_well:
                for receiver in sorted(port.peers):
                    self._say(_abort(job, self._me, receiver, Reason.FAILED))

    def _keep(self, job: bytes, notices: dict[bytes, bytes]) -> None:
        self._notices[job] = notices
        while len(self._notices) > ENDED_JOBS_KEPT:
            self._notices.popitem(last=False)

    def _tell(self, is_up: bool, reason: str) -> None:
        with self._lock:
            self._link = (is_up, reason)
            ports = list(self._ports.values())
        for port in ports:
            port.tell_link(is_up, reason)

    def _answer(self, frame: bytes, notice: bytes | None, otherwise: Reason) -> None:
        """Answer data and questions only: two nodes must not answer each other's answers for ever."""
        try:
            header = parse_header(frame)
        except PeerError:
            _log.warning("bytes that are not a frame were dropped")
            return
        is_question = header.kind == Kind.DATA or bool(header.flags & Flag.RESEND)
        if is_question:
            self._say(notice or _abort(frame[JOB], self._me, frame[SENDER], otherwise))

    def _say(self, frame: bytes) -> None:
        """Send a frame of our own, if there is room: the peer asks again, or has been cut off."""
        try:
            self.send(frame)
        except CreditError:
            _log.warning("no room for an answer to a peer's job")


def _job(job_id: bytes, session: int) -> bytes:
    return job_id + session.to_bytes(4, "big")


def _abort(job: bytes, me: str, receiver: bytes, reason: Reason) -> bytes:
    peer = receiver.rstrip(b"\0").decode("ascii", errors="replace")
    return FrameHeader(Kind.ABORT, job[:16], int.from_bytes(job[16:], "big"), me, peer, reason=reason).pack()
