"""One attempt of a party to be connected: a channel, its streams, and how it ended."""

from __future__ import annotations

import datetime
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import grpc

from saferoom.errors import ConfigError, PeerError
from saferoom.link.credit import CreditMeter
from saferoom.link.settings import DEFAULT_RELAY_LIMITS, MAX_CONTROL_BYTES, LinkSettings, channel_options
from saferoom.link.transport.streams import DOWN_LANES, UP_LANES, Control, ControlReader, Lane, hello, up_lane
from saferoom.link.transport.tls import SERVER_NAME, TlsMaterial, channel_credentials, check_material

_log = logging.getLogger(__name__)
_SAME_VERSION = "run the same SafeRoom version at the party and the coordinator"


class _Outgoing:
    """What one stream has still to send; gRPC's thread iterates over it."""

    def __init__(self, sent: Callable[[bytes], None]) -> None:
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._sent = sent

    def put(self, message: bytes | None) -> None:
        self._messages.put(message)

    def __iter__(self) -> Iterator[bytes]:
        while (message := self._messages.get()) is not None:
            self._sent(message)
            yield message


class Connection:
    """Opened once, kept until it ends, closed. `reason` and `remedy` tell how it ended."""

    def __init__(
        self,
        address: str,
        party: str,
        tls: TlsMaterial,
        settings: LinkSettings,
        connection_id: bytes,
        *,
        on_frame: Callable[[bytes], None],
        on_control: Callable[[bytes], bool],
    ) -> None:
        self.reason = ""
        self.remedy = ""
        self._address = address
        self._party = party
        self._tls = tls
        self._settings = settings
        self._hello = hello(connection_id)
        self._on_frame = on_frame
        self._on_control = on_control
        self._lock = threading.Lock()
        self._meter = CreditMeter(DEFAULT_RELAY_LIMITS.flow_bytes, DEFAULT_RELAY_LIMITS.sender_bytes)
        self._control_bytes = 0
        self._outgoing = {
            Lane.SMALL_UP: _Outgoing(self._frame_sent),
            Lane.BULK_UP: _Outgoing(self._frame_sent),
            Lane.CONTROL: _Outgoing(self._control_sent),
        }
        self._reader = ControlReader()
        self._channel: grpc.Channel | None = None
        self._threads: list[threading.Thread] = []
        self._is_ready = False
        self._is_ended = False
        self._ready_or_ended = threading.Event()
        self._ended = threading.Event()
        self._last_heard = time.monotonic()

    def open(self) -> None:
        """Dial, and open the streams; returns at once."""
        try:
            check_material(self._tls, self._party, datetime.datetime.now(datetime.UTC))
        except ConfigError as error:
            self.end(error.message, error.remedy)
            return
        options = channel_options(self._settings, self._address, SERVER_NAME)
        self._channel = grpc.secure_channel(self._address, channel_credentials(self._tls), options=options)
        for lane in DOWN_LANES:
            self._start_reading(lane, self._channel.unary_stream(lane.method, None, None)(self._hello))
        for lane in UP_LANES:
            # Nothing comes back on these but their end.
            call = self._channel.stream_stream(lane.method, None, None)(self._with_hello(lane))
            call.add_callback(partial(self._end_of, call))
        control = self._channel.stream_stream(Lane.CONTROL.method, None, None)
        self._start_reading(Lane.CONTROL, control(self._with_hello(Lane.CONTROL)))

    def wait_ready(self) -> bool:
        """Wait until the coordinator has all streams; False if the attempt failed."""
        if not self._ready_or_ended.wait(self._settings.connect_timeout_s):
            self.end(
                f"the coordinator at {self._address} was silent for {self._settings.connect_timeout_s:g} s",
                "check the address, the firewall, and that the coordinator runs",
            )
        return self._is_ready and not self._is_ended

    def keep(self) -> None:
        """Send heartbeats until the connection ends; end it if the coordinator falls silent."""
        while not self._ended.wait(self._settings.heartbeat_s):
            silent_s = time.monotonic() - self._last_heard
            if silent_s > self._settings.dead_after_s:
                self.end(f"the coordinator was silent for {silent_s:.0f} s", "check the network")
            self.put_control([bytes([Control.HEARTBEAT])])

    def end(self, reason: str, remedy: str) -> None:
        """Mark the connection as ended; the first reason stays."""
        with self._lock:
            if self._is_ended:
                return
            self._is_ended = True
            self.reason, self.remedy = reason, remedy
        self._ended.set()
        self._ready_or_ended.set()

    def close(self) -> None:
        """Give back the channel and the threads. What was not sent is dropped."""
        for outgoing in self._outgoing.values():
            outgoing.put(None)
        if self._channel is not None:
            self._channel.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5.0)

    def put_frame(self, frame: bytes) -> None:
        """Queue a frame, or drop it if the connection has ended. Raises CreditError past the credit."""
        with self._lock:
            if self._is_ended:
                return
            self._meter.add(frame)
        self._outgoing[up_lane(frame)].put(frame)

    def put_control(self, pieces: list[bytes]) -> bool:
        """Queue a control message; False if the coordinator does not keep up."""
        size = sum(map(len, pieces))
        with self._lock:
            if self._is_ended or self._control_bytes + size > 2 * MAX_CONTROL_BYTES:
                return False
            self._control_bytes += size
            for piece in pieces:
                self._outgoing[Lane.CONTROL].put(piece)
        return True

    def _start_reading(self, lane: Lane, call: grpc.CallIterator[bytes]) -> None:
        thread = threading.Thread(
            target=self._read, args=(lane, call), name=f"link {lane.value}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _with_hello(self, lane: Lane) -> Iterator[bytes]:
        yield self._hello
        yield from self._outgoing[lane]

    def _frame_sent(self, frame: bytes) -> None:
        with self._lock:
            self._meter.remove(frame)

    def _control_sent(self, piece: bytes) -> None:
        with self._lock:
            self._control_bytes -= len(piece)

    def _read(self, lane: Lane, call: grpc.CallIterator[bytes]) -> None:
        try:
            for message in call:
                self._last_heard = time.monotonic()
                if lane is Lane.CONTROL:
                    self._on_control_message(message)
                else:
                    self._on_frame(message)
            self.end("the coordinator ended the connection", "")
        except grpc.RpcError as error:
            self._end_of(error)
        except PeerError as error:
            self.end(error.message, error.remedy)

    def _on_control_message(self, piece: bytes) -> None:
        message = self._reader.feed(piece)
        if piece[0] == Control.READY:
            self._is_ready = True
            self._ready_or_ended.set()
        if message is not None and not self._on_control(message):
            self.end("the coordinator sent more control messages than we can take", "")

    def _end_of(self, call: object) -> None:
        """A stream has ended: end the connection with its status, in plain words."""
        if isinstance(call, grpc.Call):
            self.end(*self._explain(call.code(), call.details() or ""))
        else:
            self.end("the connection broke", "")

    def _explain(self, code: grpc.StatusCode, details: str) -> tuple[str, str]:
        """Reason and remedy."""
        if code == grpc.StatusCode.PERMISSION_DENIED:
            return details, "ask the coordinator's operator whether this party is enrolled or was revoked"
        if code == grpc.StatusCode.ABORTED:
            return details, "see whether a second node runs with this party's certificate"
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED):
            return f"the coordinator cut us off: {details}", _SAME_VERSION
        if code != grpc.StatusCode.UNAVAILABLE:
            return f"the connection ended: {details or code.name}", ""
        return self._explain_unavailable(details)

    def _explain_unavailable(self, details: str) -> tuple[str, str]:
        text = details.lower()
        if any(word in text for word in ("handshake", "certificate", "verification", "ssl", "tls")):
            return (
                f"no TLS connection to {self._address}: one side refuses the other's certificate ({details})",
                "check that both are of the same authority, that the coordinator's is made out to "
                f"{SERVER_NAME!r}, and that neither was revoked or replaced",
            )
        return (
            f"the coordinator at {self._address} cannot be reached ({details})",
            "check the address, the firewall, and that the coordinator runs; we keep trying",
        )
