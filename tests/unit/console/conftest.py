"""A room's logs with a story in them, and a visitor who has logged in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from saferoom.console.reading.evidence import Evidence
from tests.console_room import LogRoom, evidence_of, tell_a_story, visitor


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> LogRoom:
    """Logs with a story in them, closed: written once, copied by who needs them."""
    room = LogRoom(tmp_path_factory.mktemp("console"))
    tell_a_story(room)
    room.close()
    return room


@pytest.fixture
def room(told: LogRoom, tmp_path: Path) -> Iterator[LogRoom]:
    room = told.copy(tmp_path)
    yield room
    room.close()


@pytest.fixture
def evidence(room: LogRoom) -> Evidence:
    return evidence_of(room)


@pytest.fixture
def client(evidence: Evidence) -> TestClient:
    return visitor(evidence)
