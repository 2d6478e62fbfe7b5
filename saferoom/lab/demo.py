"""`saferoom demo`: a synthetic room of small enterprises, run from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from saferoom.lab.house import House
from saferoom.lab.room import load_room
from saferoom.lab.runner import Options, Told, run_room
from saferoom.lab.synthetic import write_synthetic_room


def run_demo(out: Path, rows: int, options: Options, told: Told) -> dict[str, Any]:
    """Make the data under OUT/data, run the room, score new enterprises; results are in OUT."""
    told(f"making {rows} synthetic enterprises")
    files = write_synthetic_room(out / "data", rows=rows)

    def score_new(house: House, model: str) -> None:
        told("scoring new enterprises")
        house.score(model, files.new, out / "new-scores.csv", told)

    return run_room(load_room(files.room), out, options, told, score_new)
