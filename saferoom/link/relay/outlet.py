"""What waits in the relay for one stream of one party; with an emulated network, until it is due."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from saferoom.link.settings import NetworkEmulation


@dataclass(slots=True)
class Line:
    """One direction of an emulated line between a party and the coordinator."""

    network: NetworkEmulation
    free_at: float = 0.0

    def arrival(self, sent_at: float, size_bytes: int) -> float:
        """When something sent at that time has come through. Times in seconds."""
        rate = self.network.mbit_per_s * 1e6 / 8
        self.free_at = max(sent_at, self.free_at) + (size_bytes / rate if rate else 0.0)
        return self.free_at + self.network.latency_ms / 1e3


@dataclass(slots=True, order=True)
class _Item:
    due_at: float
    number: int
    message: bytes = field(compare=False)
    owner: Any = field(compare=False)


class Outlet:
    """Messages in the order they are due. For one event loop; nothing here waits but `next`.

    `owner` is whoever answers for a message's credit; `release(owner, message)` is called when the
    message has left or was dropped.
    """

    def __init__(self, release: Callable[[Any, bytes], None]) -> None:
        self._release = release
        self._items: list[_Item] = []
        self._count = 0
        self._more = asyncio.Event()
        self.waiting_bytes = 0

    def put(self, message: bytes, owner: Any, due_at: float = 0.0) -> None:
        """Queue a message; `due_at` in the loop's time."""
        self._count += 1
        heapq.heappush(self._items, _Item(due_at, self._count, message, owner))
        self.waiting_bytes += len(message)
        self._more.set()

    async def next(self) -> tuple[bytes, Any]:
        """Wait for the next message that is due and take it. The caller releases it once it has left."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._items:
                self._more.clear()
                await self._more.wait()
            wait_s = self._items[0].due_at - loop.time() if self._items[0].due_at else 0.0
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            # It may have been dropped while we slept.
            if self._items and self._items[0].due_at <= loop.time():
                item = heapq.heappop(self._items)
                self.waiting_bytes -= len(item.message)
                return item.message, item.owner

    def drop(self, owner: Any = None) -> None:
        """Drop what waits: all of it, or what one owner has here."""
        dropped = [item for item in self._items if owner is None or item.owner is owner]
        self._items = [item for item in self._items if owner is not None and item.owner is not owner]
        heapq.heapify(self._items)
        for item in dropped:
            self.waiting_bytes -= len(item.message)
            self._release(item.owner, item.message)
