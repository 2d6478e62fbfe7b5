"""Which module does which kind of task. The kinds themselves stand in `saferoom.kinds.registry`."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from saferoom.errors import StorageError, UsageError
from saferoom.kinds import registry as kinds
from saferoom.tasks.base import Model, Task, Work
from saferoom.tasks.models.files import FILE


def work_of(kind: str) -> Work:
    """Raises UsageError for a kind of task that this version does not know."""
    known = kinds.kind_of(kind)
    found: Work = import_module(known.work or f"saferoom.tasks.{known.name}").WORK
    return found


def load_all() -> None:
    """Import what every kind of task needs: for a process that others are forked from."""
    for kind in kinds.KINDS:
        work_of(kind.name)


def task_of(kind: str, job: str) -> Task:
    """Raises UsageError for a kind of task or job that this version does not know."""
    jobs = work_of(kind).jobs
    if job not in jobs:
        raise UsageError(f"this version knows no job of kind {job!r}", remedy="update this node")
    return jobs[job]


def load_model(folder: Path) -> Model:
    """The part in a model's folder. Raises StorageError."""
    return model_from_file(folder / FILE)


def model_from_file(file: Path) -> Model:
    """Raises StorageError if the file is missing, damaged or of another version."""
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        read = work_of(plain["kind"]).model
        if read is None:
            raise ValueError("a kind of task that leaves no model")
        return read(plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise StorageError("the model file is missing or damaged", remedy="train again") from error
