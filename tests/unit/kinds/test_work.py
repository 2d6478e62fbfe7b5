"""Every kind of task of the registry has a module that does it, job by job."""

from __future__ import annotations

import pytest

from saferoom.kinds.base import TaskKind
from saferoom.kinds.registry import KINDS
from saferoom.tasks.registry import work_of


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_its_work(kind: TaskKind) -> None:
    assert set(work_of(kind.name).jobs) == set(kind.jobs_by_name)
