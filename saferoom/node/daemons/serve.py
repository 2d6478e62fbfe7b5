"""Run a daemon in the foreground: home opened, administration socket up, until a signal stops it."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from saferoom.errors import StorageError
from saferoom.identity.keys import NodeKeys
from saferoom.jobs.home import Home
from saferoom.link.admin import AdminServer, socket_path
from saferoom.link.job.allocator import keep_freed_memory
from saferoom.link.transport.polling import poll_in_waiting_threads
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Plain
from saferoom.node.operations.roles import coordinator_operations, party_operations

logger = logging.getLogger(__name__)

LOG_FREE_S = 5.0

Handler = Callable[[str, Plain], Iterator[Plain]]


def serve_coordinator(home: Home, passphrase: str | None) -> None:
    """`saferoom coordinator up`."""
    keep_freed_memory()
    poll_in_waiting_threads()
    with _opened(home, passphrase) as core:
        daemon = Coordinator(core, NodeKeys.load(home.helper_keys, passphrase))
        port = daemon.start()
        logger.info("the coordinator listens on port %d", port)
        try:
            _serve(home, coordinator_operations(core, daemon).handle)
        finally:
            daemon.stop()


def serve_party(home: Home, passphrase: str | None) -> None:
    """`saferoom party up`."""
    keep_freed_memory()
    poll_in_waiting_threads()
    with _opened(home, passphrase) as core:
        daemon = Party(core)
        daemon.start()
        try:
            _serve(home, party_operations(core, daemon).handle)
        finally:
            daemon.stop()


@contextmanager
def _opened(home: Home, passphrase: str | None) -> Iterator[Core]:
    """The home, once a local command that has its log open for a moment is done with it."""
    deadline = time.monotonic() + LOG_FREE_S
    while True:
        try:
            core = Core(home, passphrase)
            break
        except StorageError as error:
            if error.step != "audit log" or time.monotonic() > deadline:
                raise
        time.sleep(0.1)
    try:
        yield core
    finally:
        core.close()


def _serve(home: Home, handler: Handler) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = AdminServer(socket_path(home.root), handler)
    server.start()
    try:
        stop.wait()
    finally:
        server.stop()
