"""What a kind of task brings: what its processes do, and the model that they leave.

Work     of one kind of task; stands as WORK in `saferoom.tasks.<kind>`
Task     of one of its kinds of job: a party's side and the helper's
Model    one party's part of what training left
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64
from saferoom.contracts.contract import Contract
from saferoom.data.familiar import Levels
from saferoom.data.table import ColumnType, PartyTable
from saferoom.jobs.context import JobContext
from saferoom.models.scorecard.binning import Bins
from saferoom.models.shown import Shown
from saferoom.scoring.grades import GradeScheme

Binned: TypeAlias = Mapping[str, tuple[Bins, I64]]
"""By column: its bins, and how many training rows lay in each."""


class Task(Protocol):
    """One kind of job of one kind of task. `params` are those of the contract's task."""

    def party(self, context: JobContext, params: Any) -> None:
        """A party's side; what it leaves is written to the job's folder."""

    def helper(self, context: JobContext, params: Any) -> None:
        """The helper's side: the same steps, in the same order. Not called where nobody helps."""


class Preparation(Protocol):
    """How a party's table becomes what the model sees."""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Of the prepared columns."""

    @property
    def types(self) -> dict[str, ColumnType]:
        """Of the table's columns that it reads."""

    @property
    def levels(self) -> Mapping[str, Levels]:
        """Of those of them that hold categories: what training saw."""


class Model(Protocol):
    """One party's part of a model."""

    @property
    def job(self) -> str:
        """The job that made it, whose id is the model's."""

    @property
    def contract(self) -> str: ...

    @property
    def party(self) -> str: ...

    @property
    def preparation(self) -> Preparation: ...

    def joint(self, context: JobContext, rows: PartyTable, recipient: str) -> F64 | None:
        """The sum of all parties' parts for each row (n,), at `recipient`; None elsewhere. All call it."""

    def shown(self, rows: PartyTable, contract: Contract) -> Shown:
        """What released scores of these rows show of this party's part."""

    def judge(self, total: F64) -> tuple[F64, I64]:
        """Probability of default and points (n,) of such sums (n,)."""

    def credit(self, rows: PartyTable) -> I64:
        """This party's part of what is graded on shares, (n,), in units of `thresholds`. Or RefusedError."""

    def thresholds(self, scheme: GradeScheme) -> list[int]:
        """The scheme's cuts: a grade's place is how many of them lie above the joint credit."""

    def grid(self) -> list[int]:
        """Cuts of the credit, close together: what an AUC is computed by on shares. Rising."""

    def lost(self, rows: PartyTable) -> I64:
        """Points that each own column costs each row: (n, columns), >= 0. RefusedError: it has none."""

    def binned(self) -> Binned:
        """The bins of own columns. Raises UsageError: they have none."""

    def own_part(self, folder: Path) -> dict[str, Any]:
        """What a report shows of it: fields of `report.content.ReportData`."""

    def to_plain(self) -> dict[str, Any]:
        """The content of its file."""


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """All parties' parts of one model, and the rows that made it, in one place: in a lab alone.

    Rows are in the common order: `is_train`, `y`, `pd` (n,); `pd` is None where nobody learnt it. `tables`
    hold the columns that are in the model, `whole` all that were brought, `specials` their special codes.
    """

    label_holder: str
    params: Any
    models: Mapping[str, Any]
    tables: Mapping[str, PartyTable]
    is_train: NDArray[np.bool_]
    y: I64
    pd: F64 | None
    whole: Mapping[str, PartyTable] = field(default_factory=dict)
    specials: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)


Twin: TypeAlias = Callable[[Pooled], tuple[F64, dict[str, Any]]]
"""The plaintext twin: its probabilities (n,), and how far the joint model is from it."""


def no_card(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing besides what every model card shows."""
    del plain
    return {}


@dataclass(frozen=True, slots=True)
class Work:
    """What one kind of task does. `jobs`: by name, those that its `TaskKind` names.

    model   reads a model's file; None if the task leaves no model
    card    what a model card shows of that file
    twin    None if there is none
    tables  names of the tables, `<name>.json` and `<name>.csv`, that each party keeps besides
    """

    jobs: Mapping[str, Task]
    model: Callable[[Mapping[str, Any]], Model] | None = None
    card: Callable[[Mapping[str, Any]], dict[str, Any]] = no_card
    twin: Twin | None = None
    tables: tuple[str, ...] = field(default=())
