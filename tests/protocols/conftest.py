"""Fixtures for numeric protocols. BLAS gets one thread: all roles share this process and its cores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from tests.numeric_room import Room, Shares


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread() -> Iterator[None]:
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def shares() -> Shares:
    return Shares()
