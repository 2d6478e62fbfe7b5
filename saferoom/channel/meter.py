"""What a conversation costs one endpoint: rounds, messages, bytes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Traffic:
    """What one endpoint sent to or received from one peer."""

    messages: int = 0
    size_bytes: int = 0

    def add(self, size_bytes: int) -> None:
        self.messages += 1
        self.size_bytes += size_bytes


@dataclass(slots=True)
class Meter:
    """Rounds (receives that had to follow a send) and traffic per peer."""

    sent: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    received: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    rounds: int = 0
