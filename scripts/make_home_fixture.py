"""Makes the homes of a small room that has worked: what tests of upgrades start from.

    cd CHECKOUT && PYTHONPATH=. python THIS/scripts/make_home_fixture.py THIS/tests/fixtures/home-VERSION

CHECKOUT is the release whose homes are wanted; run there, because the nodes are its processes. A coordinator,
a bank and a tax bureau agree on one contract, train one logistic regression and score one list of synthetic
enterprises; then they are stopped, and their homes are kept.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from saferoom.lab.house import house
from saferoom.lab.room import Room, load_room
from saferoom.lab.synthetic import write_synthetic_room

ROWS, NEW_ROWS = 500, 40
LEFT_OUT = shutil.ignore_patterns("run", "jobs", "checkpoints", "*.lock", "daemon.log", "report.html")


def make(out: Path) -> None:
    """Write the homes `coordinator`, `bank` and `tax` into `out`, which must not hold them yet."""
    with tempfile.TemporaryDirectory(prefix="saferoom-fixture-") as temporary:
        folder = Path(temporary)
        files = write_synthetic_room(folder / "data", rows=ROWS, new_rows=NEW_ROWS)
        with house(_two_parties(load_room(files.room)), folder, print) as rooms:
            contract = rooms.agree(rooms.add_data())
            model = rooms.train(contract, lambda _item: None)
            rooms.score(model, files.new, folder / "scores.csv", lambda _item: None)
        for name in rooms.nodes:
            shutil.copytree(folder / name, out / name, ignore=LEFT_OUT)


def _two_parties(room: Room) -> Room:
    parties = {name: room.parties[name] for name in ("bank", "tax")}
    return room.model_copy(update={"parties": parties})


if __name__ == "__main__":
    make(Path(sys.argv[1]))
