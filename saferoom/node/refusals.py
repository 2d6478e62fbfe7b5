"""What a node turned away, as entries of its log that nobody outside can multiply.

The first refusal of a party and reason is logged at once. Those that follow are counted, and an hour after
the first one entry tells how many they were. A party has a few reasons an hour, the others count together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

AGAIN_S = 3600.0
REASONS_KEPT = 8
"""Different reasons of one party within an hour that are logged under their own name."""
OTHERS = "refused for other reasons"
REASON_CHARACTERS = 200
"""More of a reason is left out: it may quote what came from outside."""
PARTIES_KEPT = 1024
"""More parties than that within an hour are counted together, as nobody."""
NOBODY = "nobody"

Record = Callable[[str, str], None]
"""`record(party, reason)` appends one entry. Raises StorageError."""


@dataclass(slots=True)
class _Said:
    since: float
    more: int = 0


class Refusals:
    """Thread-safe. At most 2 · (REASONS_KEPT + 1) entries of a party within an hour."""

    def __init__(self, record: Record, clock: Callable[[], float] = time.monotonic) -> None:
        self._record, self._clock = record, clock
        self._lock = threading.Lock()
        self._said: dict[str, dict[str, _Said]] = {}

    def add(self, party: str, reason: str) -> None:
        """Something of `party` was refused. Raises StorageError if the log does not take the entry."""
        self.tick()
        reason = reason[:REASON_CHARACTERS]
        with self._lock:
            if party not in self._said and len(self._said) >= PARTIES_KEPT:
                party = NOBODY
            said = self._said.setdefault(party, {})
            if reason not in said and len(said) >= REASONS_KEPT:
                reason = OTHERS
            if reason in said:
                said[reason].more += 1
                return
            said[reason] = _Said(self._clock())
        self._record(party, reason)

    def tick(self) -> None:
        """Log the counts whose hour is over. Raises StorageError."""
        self._flush(self._clock() - AGAIN_S)

    def close(self) -> None:
        """Log all counts: the node stops. Raises StorageError."""
        self._flush(self._clock())

    def _flush(self, until: float) -> None:
        with self._lock:
            due = [
                (party, reason, said.more)
                for party, reasons in self._said.items()
                for reason, said in reasons.items()
                if said.since <= until
            ]
            for party, reason, _ in due:
                del self._said[party][reason]
            self._said = {party: reasons for party, reasons in self._said.items() if reasons}
        for party, reason, more in due:
            if more:
                self._record(party, f"{reason} (and {more} times more)")
