"""`quality.json`: what became of this party's data set in a training job. It stays at the party.

    {"dataset", "as_of" | null, "ids": {"missing", "invalid", "conflicting", "repeated"},
     "without_consent" | null, "rows", "aligned", "train_rows", "test_rows", "gaps": {column: share},
     "dropped": {column: why}, "columns_in_model": {party: prepared columns},
     "vif": {column: factor}, "vif_of_others": {party: [factor, …]}}

`rows` are those with a valid id, and with a consent where the contract asks for one; `aligned` those of them
that all parties hold (`aligned` of `rows` is the overlap). `gaps` are of the rows with a valid id. How many
columns the model has of each party, all parties of a regression know, and nobody of trees. Factors are known
to the label holder alone, and of others' columns by their order: those that stayed in the model's columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from saferoom.files.private import write_output
from saferoom.jobs.context import JobContext

FILE = "quality.json"
_REJECTED = ("missing", "invalid", "conflicting", "repeated")


@dataclass(frozen=True, slots=True)
class Factors:
    """Variance inflation factors, where they were computed, at the label holder: own ones by column."""

    own: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, factors: Mapping[str, Sequence[float]], me: str, own: Sequence[str]) -> Factors:
        """Of all parties' factors; `own`: the own columns they are of, in their order."""
        others = {party: its for party, its in factors.items() if party != me}
        return cls(dict(zip(own, factors[me], strict=True)) if me in factors else {}, others)


NONE_COMPUTED = Factors()


def save_quality(
    context: JobContext,
    dropped: Mapping[str, str],
    columns: Mapping[str, int],
    factors: Factors = NONE_COMPUTED,
) -> None:
    """Write the file, 0600. `dropped`: the own columns that are not in the model, and why.

    `columns`: how many prepared columns the model has of each party; empty where that is not known.
    """
    registration, facts = context.registration, context.facts
    as_of = registration.description.as_of
    features = context.contract.features_of(context.me)
    content = {
        "dataset": registration.name,
        "as_of": None if as_of is None else as_of.isoformat(),
        "ids": {name: getattr(registration.counts, name) for name in _REJECTED},
        "without_consent": facts.get("without_consent"),
        "rows": facts["rows"],
        **{name: facts[name] for name in ("aligned", "train_rows", "test_rows")},
        "gaps": {name: share for name, share in registration.gaps.items() if name in features},
        "dropped": dict(dropped),
        "columns_in_model": dict(columns),
        "vif": dict(factors.own),
        "vif_of_others": {party: list(its) for party, its in factors.others.items()},
    }
    write_output(context.folder / FILE, json.dumps(content, ensure_ascii=False, indent=1))


def load_quality(folder: Path) -> dict[str, Any] | None:
    """None for a model of an earlier version."""
    file = folder / FILE
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None
