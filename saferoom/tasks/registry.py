"""Which function runs which kind of job at which role."""

from __future__ import annotations

from collections.abc import Callable

from saferoom.errors import UsageError
from saferoom.ids import HELPER
from saferoom.jobs.context import JobContext
from saferoom.tasks.boosting import help_train_boosted, train_boosted
from saferoom.tasks.steps.regression import help_train, train
from saferoom.tasks.steps.scoring import help_score, score

Task = Callable[[JobContext], None]


def _train(context: JobContext) -> None:
    (train_boosted if context.contract.task.kind == "boosting" else train)(context)


def _help_train(context: JobContext) -> None:
    (help_train_boosted if context.contract.task.kind == "boosting" else help_train)(context)


_PARTY: dict[str, Task] = {"train": _train, "score": score}
_HELPER: dict[str, Task] = {"train": _help_train, "score": help_score}


def task_for(kind: str, endpoint: str) -> Task:
    """Raises UsageError for a kind of job that this version does not know."""
    tasks = _HELPER if endpoint == HELPER else _PARTY
    if kind not in tasks:
        raise UsageError(f"this version knows no job of kind {kind!r}", remedy="update this node")
    return tasks[kind]
