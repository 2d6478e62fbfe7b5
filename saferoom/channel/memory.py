"""A network in memory: the same protocol code, one thread an endpoint, no processes, no TLS."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from saferoom.channel.transport import Buffer
from saferoom.errors import PeerError, PeerTimeout

Flow = tuple[str, str]


class MemoryNetwork:
    """Queues between all endpoints. `tap`, if given, sees (sender, receiver, message) of everything sent."""

    def __init__(self, tap: Callable[[str, str, bytes], None] | None = None) -> None:
        self._flows: dict[Flow, queue.Queue[bytes | None]] = defaultdict(queue.Queue)
        self._lock = threading.Lock()
        self._tap = tap

    def endpoint(self, name: str) -> MemoryTransport:
        return MemoryTransport(self, name)

    def flow(self, sender: str, receiver: str) -> queue.Queue[bytes | None]:
        with self._lock:
            return self._flows[sender, receiver]

    def put(self, sender: str, receiver: str, message: bytes) -> None:
        if self._tap is not None:
            self._tap(sender, receiver, message)
        self.flow(sender, receiver).put(message)

    def close(self, name: str, others: Sequence[str]) -> None:
        """Tell all others that endpoint `name` is gone."""
        for other in others:
            self.flow(name, other).put(None)


class MemoryTransport:
    """One endpoint of a MemoryNetwork."""

    def __init__(self, network: MemoryNetwork, me: str) -> None:
        self._network = network
        self._me = me

    @property
    def me(self) -> str:
        return self._me

    def send(self, to: str, parts: Sequence[Buffer]) -> None:
        self._network.put(self._me, to, b"".join(parts))

    def wait_unsent_below(self, size_bytes: int, timeout_s: float) -> None:
        """Nothing is ever on its way in memory."""

    def receive(self, sender: str, timeout_s: float) -> bytes:
        try:
            message = self._network.flow(sender, self._me).get(timeout=timeout_s)
        except queue.Empty:
            raise PeerTimeout(f"nothing came for {timeout_s:g} s", party=sender) from None
        if message is None:
            raise PeerError("the peer is gone", party=sender)
        return message


def run_together(
    roles: Mapping[str, Callable[[], Any]], network: MemoryNetwork | None = None
) -> dict[str, Any]:
    """Run one function per endpoint, each in a thread; return their results.

    The first error is raised after all threads ended; if a `network` is given, an endpoint that fails
    is reported as gone to the others.
    """
    results: dict[str, Any] = {}
    errors: list[BaseException] = []

    def work(name: str, role: Callable[[], Any]) -> None:
        try:
            results[name] = role()
        except BaseException as error:
            errors.append(error)
            if network is not None:
                network.close(name, [other for other in roles if other != name])

    threads = [threading.Thread(target=work, args=item, name=item[0]) for item in roles.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
