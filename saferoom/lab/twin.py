"""The plaintext twin of a lab run: the pooled model on the same rows and prepared columns.

What the twin is, each kind of task says. Only the lab can make it, because it can read every party's file. No
node can.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from saferoom.errors import UsageError
from saferoom.kinds.registry import kind_of
from saferoom.lab.room import Room
from saferoom.lab.twin_rows import TwinRows
from saferoom.tasks.base import Pooled
from saferoom.tasks.registry import model_from_file, work_of


def fit_twin(room: Room, out: Path) -> dict[str, Any]:
    """The twin's metrics, `train` and `test`, and how far the joint model is from it.

    Raises UsageError for a kind of task that has no twin.
    """
    twin = work_of(room.task.kind).twin
    if twin is None:
        raise UsageError(f"a {room.task.kind} task has no plaintext twin", remedy="leave --twin out")
    rows = TwinRows.read(out)
    models = {party: model_from_file(out / "model" / f"{party}.json") for party in room.parties}
    tables = {party: rows.of_party(room, party, model.preparation.types) for party, model in models.items()}
    params = kind_of(room.task.kind).params.model_validate(room.task.params)
    pd, facts = twin(Pooled(room.label_holder, params, models, tables, rows.is_train, rows.y, rows.pd))
    return {**rows.measured(pd), **facts}
