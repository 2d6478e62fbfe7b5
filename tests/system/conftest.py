"""Rooms of real processes for the system tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from saferoom.lab.house import House, house
from saferoom.lab.room import Room, load_room
from saferoom.lab.synthetic import write_synthetic_room
from saferoom.node.settings import Emulation, Patience

HASTY = Patience(
    offer_s=60, heartbeat_s=0.5, dead_after_s=10, peer_gone_s=6, coordinator_gone_s=8, receive_s=100
)
"""Quick about lines that break, and yet not so quick that a node of a busy machine counts as gone."""


@pytest.fixture(scope="session")
def small_room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """Three parties, 3,000 synthetic enterprises."""
    files = write_synthetic_room(tmp_path_factory.mktemp("data"), rows=3000, new_rows=200)
    return load_room(files.room)


@pytest.fixture(scope="module")
def slow_house(small_room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running room on a network so slow that there is time to harm a job; hasty about failures."""
    room = small_room.model_copy(update={"network": Emulation(latency_ms=8)})
    folder: Path = tmp_path_factory.mktemp("house")
    with house(room, folder, lambda _text: None, HASTY) as running:
        yield running
