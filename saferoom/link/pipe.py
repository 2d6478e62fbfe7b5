"""The pipe between a daemon and a job process: a socket pair, with messages on it.

    kind, u8 | length, u32 | payload

Kinds 0-15 are the link's own, 16 and up carry whatever the node and its job have to say to each other.
The child process inherits its end by number: `subprocess.Popen(..., pass_fds=[pipe.fileno()])`.

A job waits when it writes (`send`); a daemon never does (`post`), because a job that hangs must not hold
up the other jobs of the same node. What a job does not read is kept for it, up to a cap.
"""

from __future__ import annotations

import enum
import logging
import select
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable

from saferoom.channel.transport import Buffer
from saferoom.errors import PeerError

MAX_PAYLOAD_BYTES = 64 << 20
BACKLOG_CAP_BYTES = 64 << 20
FIRST_SERVICE_KIND = 16
_SOCKET_BUFFER_BYTES = 2 << 20
_HEAD = struct.Struct(">BI")
_log = logging.getLogger(__name__)

OnService = Callable[[int, bytes], None]


class PipeKind(enum.IntEnum):
    """The link's own messages on a pipe."""

    FRAME = 0
    LINK_UP = 1
    LINK_DOWN = 2
    ATTACH = 3
    CLOSED = 4


class PipeClosedError(PeerError):
    """The process at the other end has closed the pipe or is gone."""


class Pipe:
    """One end. Writing is thread-safe; one thread reads."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._lock = threading.Lock()
        self._more = threading.Condition(self._lock)
        self._backlog: deque[memoryview] = deque()
        self._backlog_bytes = 0
        self._drainer: threading.Thread | None = None
        self._is_closed = False

    @classmethod
    def pair(cls) -> tuple[Pipe, Pipe]:
        """Two connected ends: the daemon's and the job's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for end in (ours, theirs):
            # Two frames: with less, each frame costs a handful of switches between the processes.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        return cls(ours), cls(theirs)

    @classmethod
    def from_fileno(cls, number: int) -> Pipe:
        """The end a child process was given by number."""
        return cls(socket.socket(fileno=number))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close_fd(self) -> None:
        """Give up an end that a child process has taken over. `close` would end the child's pipe too."""
        self._socket.close()

    def send(self, kind: int, *parts: Buffer) -> None:
        """Write one message, waiting for room. Raises PipeClosedError."""
        with self._lock:
            try:
                for rest in self._write_now(kind, parts, flags=0):
                    self._socket.sendall(rest)
            except OSError as error:
                raise PipeClosedError("the pipe to the other process is closed") from error

    def post(self, kind: int, *parts: Buffer) -> None:
        """Write one message without waiting; what finds no room is written by a thread of its own.

        Raises PipeClosedError, and PeerError if the other process has left too much unread.
        """
        with self._lock:
            if self._is_closed:
                raise PipeClosedError("the pipe to the other process is closed")
            if self._backlog:
                self._keep([memoryview(self._head(kind, parts)), *(memoryview(part) for part in parts)])
                return
            try:
                self._keep(self._write_now(kind, parts, flags=socket.MSG_DONTWAIT))
            except OSError as error:
                raise PipeClosedError("the pipe to the other process is closed") from error

    def is_readable(self, timeout_s: float) -> bool:
        """Wait until a message or the end of the pipe has come; whether it has. For the reading thread."""
        try:
            return bool(self._poll.poll(1e3 * timeout_s))
        except OSError as error:
            raise PipeClosedError("the pipe to the other process is closed") from error

    def receive(self) -> tuple[int, bytes]:
        """The next message; waits for it. Raises PipeClosedError at the end, PeerError on garbage."""
        try:
            kind, size = _HEAD.unpack(self._read(_HEAD.size))
            if size > MAX_PAYLOAD_BYTES:
                raise PeerError(f"a pipe message of {size} bytes; the limit is {MAX_PAYLOAD_BYTES}")
            return kind, self._read(size) if size else b""
        except OSError as error:
            raise PipeClosedError("the pipe to the other process is closed") from error

    def close(self) -> None:
        """Close this end; the other one reads the end after what was written before."""
        with self._lock:
            self._is_closed = True
            self._more.notify()
        try:
            # A thread waiting in recv is only woken by shutdown, not by close.
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            _log.debug("the other end of the pipe was closed first")
        self._socket.close()

    @staticmethod
    def _head(kind: int, parts: tuple[Buffer, ...]) -> bytes:
        return _HEAD.pack(kind, sum(len(part) for part in parts))

    def _write_now(self, kind: int, parts: tuple[Buffer, ...], flags: int) -> list[memoryview]:
        """Hand the message to the kernel in one call; return what it did not take."""
        buffers = [self._head(kind, parts), *parts]
        try:
            taken = self._socket.sendmsg(buffers, [], flags)
        except BlockingIOError:
            taken = 0
        rest = []
        for buffer in buffers:
            if taken < len(buffer):
                rest.append(memoryview(buffer)[taken:])
            taken = max(0, taken - len(buffer))
        return rest

    def _keep(self, rest: list[memoryview]) -> None:
        self._backlog.extend(rest)
        self._backlog_bytes += sum(len(part) for part in rest)
        if self._backlog_bytes > BACKLOG_CAP_BYTES:
            raise PeerError(f"the process has left {self._backlog_bytes} bytes unread in its pipe")
        if rest and self._drainer is None:
            self._drainer = threading.Thread(target=self._drain, name="pipe drainer", daemon=True)
            self._drainer.start()
        self._more.notify()

    def _drain(self) -> None:
        while True:
            with self._lock:
                while not self._backlog and not self._is_closed:
                    self._more.wait()
                if self._is_closed:
                    return
                part = self._backlog[0]
            try:
                self._socket.sendall(part)
            except OSError:
                _log.debug("the process closed its pipe with messages left")
                with self._lock:
                    self._is_closed = True
                return
            # Taken off only now: while it stands here, `post` keeps behind it.
            with self._lock:
                self._backlog.popleft()
                self._backlog_bytes -= len(part)

    def _read(self, size: int) -> bytes:
        data = self._socket.recv(size, socket.MSG_WAITALL)
        if len(data) == size:
            return data
        parts = [data]
        while data and size > sum(map(len, parts)):
            data = self._socket.recv(size - sum(map(len, parts)), socket.MSG_WAITALL)
            parts.append(data)
        if not data:
            raise PipeClosedError("the process at the other end of the pipe is gone")
        return b"".join(parts)
