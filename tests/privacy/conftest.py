"""Fixtures for protocols in memory."""

from __future__ import annotations

import pytest

from tests.numeric_room import Room, Shares


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def shares() -> Shares:
    return Shares()
