"""A job that is stopped in its midst, at a moment that is the same in every run."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.golden.names import Disclosure
from tests.node_room import PARTIES, Nodes

LIMIT_S = 30


class Interrupted(Exception):
    """What the party that ends the job ends it with."""


def stop_at_tree(nodes: Nodes, tree: int) -> Callable[[Disclosure], None]:
    """End the job at tree number `tree`, once every party has written down the trees before it."""
    last = {party: f"state-{tree:05}" if party == "bank" else f"tree-{tree - 1:05}" for party in PARTIES}
    before = {party: set(_checkpoints(nodes, party)) for party in PARTIES}

    def meddle(wanted: Disclosure) -> None:
        if f"tree={tree}/" in wanted.step:
            for party, name in last.items():
                (folder,) = set(_checkpoints(nodes, party)) - before[party]
                _wait_for(nodes, party, folder, name)
            raise Interrupted

    return meddle


def _checkpoints(nodes: Nodes, party: str) -> list[str]:
    folder = nodes.homes[party].checkpoint(".")
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def _wait_for(nodes: Nodes, party: str, folder: str, name: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not (nodes.homes[party].checkpoint(folder) / name).exists():
        assert time.monotonic() < deadline, f"{party} never wrote {name}"
        time.sleep(0.01)
