"""Fixtures of golden tests: the files, and one room whose jobs are played once for all tests.

BLAS gets one thread: all roles share this process and its cores.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from tests.golden.jobs import Jobs
from tests.golden.room import add_data
from tests.golden.store import Golden, fail_as_rewritten, is_rewriting
from tests.node_room import opened_nodes


@pytest.fixture
def golden() -> Iterator[Golden]:
    """Every test that writes golden files ends in an error that says so."""
    files = Golden(rewrites=is_rewriting())
    yield files
    if files.rewrites:
        fail_as_rewritten()


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """The golden jobs, in a room of three parties."""
    with (
        threadpool_limits(limits=1, user_api="blas"),
        opened_nodes(tmp_path_factory.mktemp("golden")) as nodes,
    ):
        add_data(nodes)
        yield Jobs(nodes)
