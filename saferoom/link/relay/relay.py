"""The relay as the coordinator's synchronous code sees it: a gRPC server in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import grpc.aio

from saferoom.errors import ConfigError, PeerError, UsageError
from saferoom.link.frames import SENDER, Kind, endpoint_bytes, parse_header
from saferoom.link.relay.flow_book import FlowBook
from saferoom.link.relay.open_files import allow_open_files
from saferoom.link.relay.service import LocalEndpoint, RelayCallbacks, RelayService
from saferoom.link.settings import (
    DEFAULT_LINK_SETTINGS,
    DEFAULT_RELAY_LIMITS,
    MOST_CONNECTIONS,
    LinkSettings,
    NetworkEmulation,
    RelayLimits,
    server_options,
)
from saferoom.link.transcript import frame_digest
from saferoom.link.transport.mailbox import Mailbox
from saferoom.link.transport.tls import TlsMaterial, server_credentials

_log = logging.getLogger(__name__)
_CALL_TIMEOUT_S = 10.0
_T = TypeVar("_T")


class Relay:
    """Passes sealed frames between parties, and control messages between them and the coordinator.

    Callbacks run in worker threads, one a party, in order; a slow one holds up nobody else. `allowed(party,
    serial)` is asked at each connection, with the serial number of the certificate; a party that is refused
    later is cut off with `disconnect`. With a `book`, only frames of the jobs it knows are passed on, and
    each is booked before. `on_refused(party, reason)` hears of connections and frames that were turned away.
    """

    def __init__(
        self,
        address: str,
        tls: TlsMaterial,
        *,
        on_control: Callable[[str, bytes], None],
        on_connect: Callable[[str], None],
        on_disconnect: Callable[[str], None],
        allowed: Callable[[str, int], bool],
        on_refused: Callable[[str, str], None] = lambda party, reason: None,
        book: FlowBook | None = None,
        emulation: NetworkEmulation | None = None,
        limits: RelayLimits = DEFAULT_RELAY_LIMITS,
        settings: LinkSettings = DEFAULT_LINK_SETTINGS,
    ) -> None:
        """`address`: host:port to listen at; port 0 takes any free one."""
        self._address = address
        self._tls = tls
        self._settings = settings
        callbacks = RelayCallbacks(on_control, on_connect, on_disconnect, on_refused, allowed)
        self._service = RelayService(callbacks, limits, settings, emulation, book)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._mailboxes: list[Mailbox] = []

    def start(self) -> int:
        """Listen; returns the port. Raises ConfigError if the address cannot be used."""
        allow_open_files(2 * MOST_CONNECTIONS)
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)), name="relay", daemon=True
        )
        self._thread.start()
        return started.result()

    def stop(self) -> None:
        """End all connections, run the callbacks that are due, and end."""
        if self._loop is None or self._thread is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        for mailbox in self._mailboxes:
            mailbox.close()
        self._loop = None

    def send_control(self, party: str, message: bytes) -> bool:
        """Send to a party if it is connected; whether it is. Best effort, in order."""
        return self._call(lambda: self._service.send_control(party, message))

    def connected(self) -> set[str]:
        """The parties that are connected now."""
        return self._call(lambda: {c.party for c in self._service.connections.values() if c.is_ready})

    def disconnect(self, party: str, reason: str) -> None:
        """Cut off a party, for example because its certificate was revoked."""
        self._call(lambda: self._service.disconnect(party, reason))

    def attach_local(self, name: str, deliver: Callable[[bytes], None]) -> None:
        """Make `name` an endpoint inside this process: its frames go to `deliver`, from a worker thread."""
        endpoint = LocalEndpoint(name, deliver, self._service)
        self._service.locals[endpoint.endpoint] = endpoint

    def submit_local(self, name: str, frame: bytes) -> None:
        """Pass on a frame of a local endpoint. Never waits; what exceeds its credit is dropped."""
        local = self._service.locals.get(endpoint_bytes(name))
        if local is None or frame[SENDER] != local.endpoint:
            raise UsageError(f"{name!r} is not a local endpoint, or the frame is not its own")
        book = self._service.book
        # Booked here, in the endpoint's own thread: its frames are the largest part of what passes.
        header = parse_header(frame)
        if book is not None and header.kind == Kind.DATA:
            may_pass = book.add(header, len(frame), frame_digest(frame))
            if not may_pass:
                return
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._submit, local, frame)

    def _submit(self, local: LocalEndpoint, frame: bytes) -> None:
        try:
            self._service.route(local, frame)
        except PeerError as error:
            _log.warning("a frame of the coordinator's own service was dropped: %s", error)

    def _call(self, call: Callable[[], _T]) -> _T:
        """Run something short on the event loop and wait for it."""
        if self._loop is None:
            raise UsageError("the relay is not running")

        async def run() -> _T:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_CALL_TIMEOUT_S)

    async def _run(self, started: Future[int]) -> None:
        server = grpc.aio.server(options=server_options(self._settings))
        server.add_generic_rpc_handlers((self._service.handler(),))
        try:
            port = server.add_secure_port(self._address, server_credentials(self._tls))
            await server.start()
        except (RuntimeError, ValueError) as error:
            started.set_exception(_cannot_listen(self._address, error))
            return
        if port == 0:
            started.set_exception(_cannot_listen(self._address, None))
            return
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        started.set_result(port)
        await self._stopping.wait()
        self._mailboxes = self._service.close()
        await server.stop(grace=0.5)


def _cannot_listen(address: str, error: Exception | None) -> ConfigError:
    problem = ConfigError(
        f"the relay cannot listen at {address}",
        remedy="choose a free port and an address of this machine; check the certificate and key files",
    )
    problem.__cause__ = error
    return problem
