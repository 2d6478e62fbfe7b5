"""What a session stands on: ordered, exactly-once delivery of byte messages between named endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview


class Transport(Protocol):
    """Implemented by the in-memory network (tests) and by the link (real processes)."""

    @property
    def me(self) -> str: ...

    def send(self, to: str, parts: Sequence[Buffer]) -> None:
        """Queue one message, the concatenation of `parts`. Never waits for the receiver.

        The buffers must not be changed afterwards. Raises PeerError if the outbox is over its cap.
        """
        ...

    def wait_unsent_below(self, size_bytes: int, timeout_s: float) -> None:
        """Wait until less than this is on its way: for a dealer, which would otherwise run ahead for ever."""
        ...

    def receive(self, sender: str, timeout_s: float) -> Buffer:
        """The next message from `sender`. Raises PeerTimeout after `timeout_s`, PeerError if it is gone."""
        ...
