"""The plaintext twin of a lab run: the pooled model on the same rows and prepared columns.

What the twin is, each kind of task says. Only the lab can make it, because it can read every party's file. No
node can.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from saferoom.arrays import F64
from saferoom.errors import UsageError
from saferoom.kinds.registry import kind_of
from saferoom.lab.room import Room
from saferoom.lab.twin_rows import TwinRows, described
from saferoom.scoring.points import logit_from_pd
from saferoom.tasks.base import Pooled
from saferoom.tasks.registry import model_from_file, work_of
from saferoom.tasks.results.score_files import load_scheme


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
    whole = {party: rows.of_party(room, party) for party in models}
    specials = {party: described(room, party).special_codes for party in models}
    pooled = Pooled(
        room.label_holder, params, models, tables, rows.is_train, rows.y, rows.pd, whole, specials
    )
    pd, facts = twin(pooled)
    return {**rows.measured(pd), **facts, "other_grades": _other_grades(rows, pd, models, out)}


def _other_grades(rows: TwinRows, pd: F64, models: Mapping[str, Any], out: Path) -> int:
    """How many rows have another grade than the twin's probabilities (n,) would give them."""
    scheme, scale = load_scheme(out), next(iter(models.values())).scale
    places = scheme.assign(pd, scale.points(logit_from_pd(pd)))
    return int(np.count_nonzero(np.array(scheme.names)[places] != rows.grades))
