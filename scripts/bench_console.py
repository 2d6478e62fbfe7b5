"""How long the console's pages take over a large log: `python scripts/bench_console.py [entries]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.console_room import evidence_unverified, large_log, visitor  # noqa: E402

PAGES = (
    "/",
    "/logs",
    "/contracts",
    "/contract?id=contract-3",
    "/jobs",
    "/job?id=job-7",
    "/search",
    "/search?page=2000",
    "/search?contract=contract-3&outcome=refused",
    "/search?since=2026-03-03&party=tax",
    "/entries/bank/50000",
    "/lifecycle?contract=contract-3",
    "/export?type=disclosure",
    "/chart",
)
REPEATS = 5


def best(ask: object) -> float:
    """The best of some calls, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        ask()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Write a log, open it, and time every page."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        room = large_log(Path(folder), entries)
        start = time.perf_counter()
        evidence = evidence_unverified(room)
        print(f"{entries:,} entries indexed in {time.perf_counter() - start:.2f} s")
        client = visitor(evidence)
        for path in PAGES:
            print(f"{1000 * best(lambda path=path: client.get(path).raise_for_status()):7.0f} ms  {path}")


if __name__ == "__main__":
    main()
