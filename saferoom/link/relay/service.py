"""The relay's gRPC service: one event loop, no state of any flow, no key.

A frame is looked at in three places: is it one, does its sender's name match the certificate, and is its
receiver connected. Then it waits for the receiver's stream or is dropped. A sender that leaves more than its
credit waiting is cut off, so memory stays under the sum of the windows, and no reader ever waits for
another party.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from saferoom.errors import PeerError
from saferoom.link.allowance import Allowance
from saferoom.link.credit import FRAME_COST_BYTES, CreditError, CreditMeter
from saferoom.link.frames import (
    RECEIVER,
    SENDER,
    Kind,
    check_frame,
    endpoint_bytes,
    parse_header,
)
from saferoom.link.relay.flow_book import FlowBook
from saferoom.link.relay.outlet import Line, Outlet
from saferoom.link.settings import FRAME_BYTES, LinkSettings, NetworkEmulation, RelayLimits
from saferoom.link.transcript import frame_digest
from saferoom.link.transport.mailbox import Mailbox
from saferoom.link.transport.streams import (
    DOWN_LANES,
    SERVICE,
    UP_LANES,
    Control,
    ControlReader,
    Lane,
    down_lane,
    is_bulk,
    read_hello,
    wrap_control,
)
from saferoom.link.transport.tls import party_of, serial_of

_log = logging.getLogger(__name__)
Context = grpc.aio.ServicerContext[bytes, bytes]
Status = tuple[grpc.StatusCode, str]


@dataclass(frozen=True, slots=True)
class RelayCallbacks:
    """What the coordinator wants to hear. All are called from worker threads, in order per party."""

    on_control: Callable[[str, bytes], None]
    on_connect: Callable[[str], None]
    on_disconnect: Callable[[str], None]
    on_refused: Callable[[str, str], None]
    allowed: Callable[[str, int], bool]


class Connection:
    """One party's streams."""

    def __init__(self, party: str, connection_id: bytes, service: RelayService) -> None:
        loop = asyncio.get_running_loop()
        self.party = party
        self.connection_id = connection_id
        self.endpoint = endpoint_bytes(party)
        self.meter = CreditMeter(service.limits.flow_bytes, service.limits.sender_bytes)
        self.outlets = {lane: Outlet(release) for lane in (*DOWN_LANES, Lane.CONTROL)}
        self.joined: set[Lane] = set()
        self.ended: asyncio.Future[Status] = loop.create_future()
        self.last_heard = loop.time()
        self.reader = ControlReader(service.limits.message_bytes)
        self.up = Line(service.network)
        self.down = Line(service.network)
        self.watch: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        return len(self.joined) == len(Lane)

    def end(self, code: grpc.StatusCode, details: str) -> None:
        """Let all streams end with this status."""
        if not self.ended.done():
            self.ended.set_result((code, details))

    def __repr__(self) -> str:
        return f"<connection of {self.party}>"


def release(owner: Any, message: bytes) -> None:
    """A message has left an outlet: give its sender the credit back. Control messages have no owner."""
    if isinstance(owner, (Connection, LocalEndpoint)):
        owner.meter.remove(message)


class LocalEndpoint:
    """An endpoint inside the coordinator, such as the helper: no TLS hop."""

    def __init__(self, name: str, deliver: Callable[[bytes], None], service: RelayService) -> None:
        self.endpoint = endpoint_bytes(name)
        self.deliver = deliver
        self.meter = CreditMeter(service.limits.flow_bytes, service.limits.sender_bytes)


class RelayService:
    """Everything that runs on the relay's event loop."""

    def __init__(
        self,
        callbacks: RelayCallbacks,
        limits: RelayLimits,
        settings: LinkSettings,
        network: NetworkEmulation | None,
        book: FlowBook | None,
    ) -> None:
        self.limits = limits
        self.book = book
        self.network = network or NetworkEmulation()
        self.connections: dict[bytes, Connection] = {}
        self.locals: dict[bytes, LocalEndpoint] = {}
        self._is_emulating = network is not None
        self._callbacks = callbacks
        self._settings = settings
        self._mailboxes: dict[str, Mailbox] = {}
        self._controls: dict[str, Allowance] = {}
        self._streams: dict[str, Allowance] = {}
        if book is not None:
            book.on_refused = self._refused

    def handler(self) -> grpc.GenericRpcHandler[bytes, bytes]:
        """The streams as gRPC methods; messages are plain bytes."""
        methods = {}
        for lane in Lane:
            wrap = (
                grpc.unary_stream_rpc_method_handler
                if lane in DOWN_LANES
                else grpc.stream_stream_rpc_method_handler
            )
            methods[lane.value] = wrap(self._server_of(lane))
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _server_of(self, lane: Lane) -> Any:
        async def serve(request: Any, context: Context) -> None:
            connection = await self._join(lane, context, request if lane in DOWN_LANES else None)
            await self._serve(connection, lane, context)

        return serve

    # -- one stream ------------------------------------------------------------------------------

    async def _serve(self, connection: Connection, lane: Lane, context: Context) -> None:
        tasks = []
        if lane not in DOWN_LANES:
            tasks.append(asyncio.create_task(self._read(connection, lane, context)))
        if lane not in UP_LANES:
            tasks.append(asyncio.create_task(self._write(connection, lane, context)))
        try:
            waiting: list[asyncio.Future[Any]] = [*tasks, connection.ended]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    connection.end(*_status_of(task))
            code, details = connection.ended.result()
            context.set_code(code)
            context.set_details(details)
        finally:
            for task in tasks:
                task.cancel()
            connection.end(grpc.StatusCode.CANCELLED, "the party ended the connection")
            self._leave(connection)

    async def _join(self, lane: Lane, context: Context, greeting: object) -> Connection:
        loop = asyncio.get_running_loop()
        party, serial = party_of(context.auth_context()), serial_of(context.auth_context())
        if party is not None and not self._may_open(party):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "the party opens streams too fast")
            raise PeerError("too many streams")
        if (
            party is None
            or serial is None
            or not await loop.run_in_executor(None, self._callbacks.allowed, party, serial)
        ):
            self._refused(party or "nobody", "it connected without being admitted")
            await context.abort(
                grpc.StatusCode.PERMISSION_DENIED,
                f"the coordinator does not admit {party or 'this certificate'}: not enrolled, or revoked",
            )
            raise PeerError("not admitted")
        try:
            if greeting is None:
                greeting = await asyncio.wait_for(context.read(), self._settings.connect_timeout_s)
            connection_id = read_hello(greeting if isinstance(greeting, bytes) else b"")
        except (PeerError, TimeoutError) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error) or "no greeting")
            raise
        return self._connection(party, connection_id, lane)

    def _may_open(self, party: str) -> bool:
        """Asked before anything is read from disk: who opens streams without end is turned away cheaply."""
        limits = self.limits
        streams = self._streams.setdefault(party, Allowance(limits.streams_per_s, limits.streams_at_once))
        if streams.take():
            return True
        self._refused(party, "it opens streams too fast")
        return False

    def _connection(self, party: str, connection_id: bytes, lane: Lane) -> Connection:
        connection = self.connections.get(endpoint_bytes(party))
        if connection is None or connection.connection_id != connection_id or connection.ended.done():
            if connection is not None:
                connection.end(grpc.StatusCode.ABORTED, "a newer connection of the same party has come")
                self._leave(connection)
            connection = Connection(party, connection_id, self)
            self.connections[connection.endpoint] = connection
        connection.joined.add(lane)
        if connection.is_ready and connection.watch is None:
            connection.watch = asyncio.create_task(self._watch(connection))
            connection.outlets[Lane.CONTROL].put(bytes([Control.READY]), None)
            self._post(party, lambda: self._callbacks.on_connect(party))
        return connection

    def _leave(self, connection: Connection) -> None:
        """Forget a connection; what it sent and was not passed on will be sent again."""
        if self.connections.get(connection.endpoint) is not connection:
            return
        del self.connections[connection.endpoint]
        if connection.watch is not None:
            connection.watch.cancel()
            self._post(connection.party, lambda: self._callbacks.on_disconnect(connection.party))
        for outlet in connection.outlets.values():
            outlet.drop()
        for other in self.connections.values():
            for outlet in other.outlets.values():
                outlet.drop(connection)

    async def _watch(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._settings.heartbeat_s)
            silent_s = loop.time() - connection.last_heard
            if silent_s > self._settings.dead_after_s:
                connection.end(grpc.StatusCode.DEADLINE_EXCEEDED, f"nothing was heard for {silent_s:.0f} s")
            connection.outlets[Lane.CONTROL].put(bytes([Control.HEARTBEAT]), None)

    async def _read(self, connection: Connection, lane: Lane, context: Context) -> None:
        loop = asyncio.get_running_loop()
        while isinstance(message := await context.read(), bytes):
            connection.last_heard = loop.time()
            if lane is Lane.CONTROL:
                self._on_control(connection, message)
                if (wait_s := self._owed(connection.party)) > 0:
                    await asyncio.sleep(wait_s)
            else:
                await self._on_frame(connection, message)

    async def _write(self, connection: Connection, lane: Lane, context: Context) -> None:
        outlet = connection.outlets[lane]
        while True:
            message, owner = await outlet.next()
            try:
                await context.write(message)
            finally:
                release(owner, message)

    # -- what comes in ---------------------------------------------------------------------------

    async def _on_frame(self, connection: Connection, frame: bytes) -> None:
        check_frame(frame, max_bytes=FRAME_BYTES)
        if frame[SENDER] != connection.endpoint:
            self._refused(connection.party, "it sent a frame in another's name")
            raise PermissionError(f"{connection.party} sent a frame in another's name")
        if not await self._may_pass(frame):
            return
        self.route(connection, frame)

    def route(self, sender: Connection | LocalEndpoint, frame: bytes) -> None:
        """Queue a frame for its receiver, or drop it if that one is not here. Raises CreditError."""
        receiver = frame[RECEIVER]
        if (connection := self.connections.get(receiver)) is not None and connection.is_ready:
            sender.meter.add(frame)
            connection.outlets[down_lane(frame)].put(frame, sender, self._due(sender, connection, len(frame)))
        elif (local := self.locals.get(receiver)) is not None:
            sender.meter.add(frame)
            self._deliver(local, sender, frame)

    def _due(self, sender: Any, receiver: Connection | None, size_bytes: int) -> float:
        if not self._is_emulating:
            return 0.0
        at = asyncio.get_running_loop().time()
        if isinstance(sender, Connection):
            at = sender.up.arrival(at, size_bytes)
        return receiver.down.arrival(at, size_bytes) if receiver is not None else at

    def _deliver(self, local: LocalEndpoint, sender: Connection | LocalEndpoint, frame: bytes) -> None:
        loop = asyncio.get_running_loop()
        name = frame[RECEIVER].rstrip(b"\0").decode()

        def call() -> None:
            try:
                local.deliver(frame)
            finally:
                loop.call_soon_threadsafe(release, sender, frame)

        due_at = self._due(sender, None, len(frame))
        if due_at:
            loop.call_at(due_at, lambda: self._post(name, call))
        else:
            self._post(name, call)

    def _owed(self, party: str) -> float:
        """Seconds to leave a party unread that sends control messages too fast: it waits, and nobody else."""
        limits = self.limits
        controls = self._controls.setdefault(party, Allowance(limits.controls_per_s, limits.controls_at_once))
        return controls.owe()

    def _on_control(self, connection: Connection, piece: bytes) -> None:
        message = connection.reader.feed(piece)
        if message is None:
            return
        party = connection.party
        size = len(message) + FRAME_COST_BYTES
        self._post(party, lambda: self._callbacks.on_control(party, message), size)
        if self._mailboxes[party].waiting_bytes > self.limits.inbox_bytes:
            raise CreditError("more control messages were sent than the coordinator can take")

    async def _may_pass(self, frame: bytes) -> bool:
        """Book a data frame before it goes on; False if its job is not under way, or another came before."""
        if self.book is None:
            return True
        if frame[1] != Kind.DATA:
            return self.book.knows(parse_header(frame))
        if is_bulk(frame):
            digest = await asyncio.get_running_loop().run_in_executor(None, frame_digest, frame)
        else:
            digest = frame_digest(frame)
        return self.book.add(parse_header(frame), len(frame), digest)

    def _refused(self, party: str, reason: str) -> None:
        self._post(party, lambda: self._callbacks.on_refused(party, reason))

    # -- what goes out ---------------------------------------------------------------------------

    def send_control(self, party: str, message: bytes) -> bool:
        """Queue a control message; whether the party is connected and keeps up."""
        connection = self.connections.get(endpoint_bytes(party))
        if connection is None or not connection.is_ready:
            return False
        outlet = connection.outlets[Lane.CONTROL]
        if outlet.waiting_bytes + len(message) > self.limits.control_bytes:
            connection.end(grpc.StatusCode.RESOURCE_EXHAUSTED, "the party does not take control messages")
            return False
        for piece in wrap_control(message):
            outlet.put(piece, None, self._due(None, connection, len(piece)))
        return True

    def disconnect(self, party: str, reason: str) -> None:
        """Cut a party off, as after a revocation."""
        connection = self.connections.get(endpoint_bytes(party))
        if connection is not None:
            connection.end(grpc.StatusCode.PERMISSION_DENIED, reason)

    def _post(self, party: str, call: Callable[[], None], size_bytes: int = 0) -> None:
        mailbox = self._mailboxes.get(party)
        if mailbox is None:
            mailbox = self._mailboxes[party] = Mailbox(f"relay callbacks of {party}")
        mailbox.post(call, size_bytes)

    def close(self) -> list[Mailbox]:
        """End all connections; returns the mailboxes for the caller to close."""
        for connection in list(self.connections.values()):
            connection.end(grpc.StatusCode.UNAVAILABLE, "the coordinator is stopping")
            self._leave(connection)
        return list(self._mailboxes.values())


def _status_of(task: asyncio.Task[None]) -> Status:
    """How a stream's task ended, as a status for the party."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, CreditError):
        return grpc.StatusCode.RESOURCE_EXHAUSTED, str(error)
    if isinstance(error, PermissionError):
        return grpc.StatusCode.PERMISSION_DENIED, str(error)
    if isinstance(error, PeerError):
        return grpc.StatusCode.INVALID_ARGUMENT, str(error)
    if error is not None:
        _log.debug("a stream broke", exc_info=error)
    return grpc.StatusCode.CANCELLED, "the party ended the connection"
