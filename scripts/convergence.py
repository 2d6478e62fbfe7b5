"""How near joint regressions come to the optimum, over a grid of hard data: docs/protocols/logistic.md.

    python scripts/convergence.py [--rows 300 5000 20000 100000 1000000]

Everything runs in memory. A case that is refused is counted as such; the last column is processor time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from saferoom.errors import ProtocolError
from tests import logistic_room
from tests.hard_data import Hard, grid, optimum
from tests.numeric_room import Room

LARGE = 500_000


@dataclass(frozen=True)
class Outcome:
    """error: the largest of all coefficients, None if refused. checks: how many there were. seconds: of all
    parties and the helper together."""

    error: float | None
    checks: int
    seconds: float


def measured(case: Hard) -> Outcome:
    blocks, labels = case.blocks()
    began = time.process_time()
    try:
        with patch.object(logistic_room, "Room", lambda timeout_s: Room(timeout_s, keep_messages=False)):
            joint = logistic_room.play_logistic(blocks, labels)
    except ProtocolError:
        return Outcome(None, 0, time.process_time() - began)
    seconds = time.process_time() - began
    found = np.append(joint.coefficients, joint.intercept)
    told = {d.step for d in joint.played.disclosures if (d.kind, d.to) == ("converged", "p0")}
    return Outcome(float(np.abs(found - optimum(blocks, labels)).max()), len(told), seconds)


def cases(rows: int) -> list[Hard]:
    return grid((rows,), (2,) if rows > LARGE else (2, 3, 5))


def line(key: tuple[int, float, float], found: list[Outcome]) -> str:
    errors = [one.error for one in found if one.error is not None]
    largest = f"{max(errors):.4f}" if errors else "—"
    checks = [one.checks for one in found if one.error is not None]
    span = f"{min(checks)} to {max(checks)}" if checks else "—"
    seconds = np.median([one.seconds for one in found])
    refused = len(found) - len(errors)
    cells = [f"{key[0]:,}", f"{key[1]:g}", f"{key[2]:g}", largest, span, f"{refused} of {len(found)}"]
    return f"| {' | '.join(cells)} | {seconds:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 5_000, 20_000, 100_000, 1_000_000])
    for rows in parser.parse_args().rows:
        found = defaultdict(list)
        for case in cases(rows):
            found[rows, case.separation, case.correlation].append(measured(case))
        print("\n".join(line(key, of_key) for key, of_key in found.items()), flush=True)


if __name__ == "__main__":
    main()
