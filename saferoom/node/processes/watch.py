"""Live progress of jobs, for everybody at this node who watches."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

KEPT = 200


class Watch:
    """Progress by job. Writers never wait for readers; a reader that falls behind skips to the newest."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._latest: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
        self._ended: dict[str, dict[str, Any]] = {}
        self._count = 0

    def progress(self, job_id: str, party: str, progress: dict[str, Any]) -> None:
        with self._news:
            self._latest[job_id][party, str(progress.get("phase", ""))] = {
                "job_id": job_id,
                "party": party,
                **progress,
                "time": time.time(),
            }
            self._bump()

    def phase(self, job_id: str, party: str) -> str:
        """Where `party` was last seen in a job that has not ended; "" if it never was."""
        with self._news:
            seen = [p for (who, _), p in self._latest.get(job_id, {}).items() if who == party]
        return str(max(seen, key=lambda p: p["time"])["phase"]) if seen else ""

    def end(self, job_id: str, outcome: dict[str, Any]) -> None:
        with self._news:
            self._ended[job_id] = {"job_id": job_id, **outcome}
            self._latest.pop(job_id, None)
            while len(self._ended) > KEPT:
                self._ended.pop(next(iter(self._ended)))
            self._bump()

    def follow(self, job_id: str, *, poll_s: float = 1.0) -> Iterator[dict[str, Any]]:
        """Yield progress of `job_id` as it changes, then its outcome as the last item."""
        seen = -1
        shown: dict[tuple[str, str], dict[str, Any]] = {}
        while True:
            with self._news:
                if self._count == seen:
                    self._news.wait(poll_s)
                seen = self._count
                outcome = self._ended.get(job_id)
                latest = dict(self._latest.get(job_id, {}))
            for key, progress in latest.items():
                if shown.get(key) != progress:
                    shown[key] = progress
                    yield progress
            if outcome is not None:
                yield outcome
                return

    def _bump(self) -> None:
        self._count += 1
        self._news.notify_all()
