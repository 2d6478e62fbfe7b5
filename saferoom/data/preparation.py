"""From a party's table to the matrix the model sees; fitted on training rows, kept with the party's model.

Numbers  are clipped at the 0.5 % and 99.5 % quantiles of the known training values; a missing one becomes
         the training median and, if training rows had any, sets a 0/1 indicator; then (x - mean) / sd.
Texts    become one 0/1 column per category of the training rows, in sorted order; missing is a category of
         its own, and a category not seen in training leaves all of them 0.
Columns that are constant or without any value on the training rows are dropped, and named in `dropped`.

What is fitted goes to JSON and back without changing a bit of any later transform.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from saferoom.data.canonical import canonical_levels
from saferoom.data.familiar import Levels
from saferoom.data.table import CategoryColumn, Column, ColumnType, NumericColumn, PartyTable, Positions
from saferoom.errors import ConfigError, StorageError

logger = logging.getLogger(__name__)

MISSING = "(missing)"
_FORMAT = "saferoom preparation 1"


@dataclass(frozen=True, slots=True)
class PreparationSettings:
    """`low`, `high`: quantiles to clip numbers at; `max_categories` of one column, missing included."""

    low: float = 0.005
    high: float = 0.995
    max_categories: int = 100


@dataclass(frozen=True, slots=True)
class NumberStep:
    """How one numeric column is prepared. Values in the column's own unit; `sd` None: constant, not kept."""

    name: str
    low: float
    high: float
    centre: float
    mean: float
    sd: float | None
    indicator: bool
    kind: ClassVar[ColumnType] = "numeric"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        values = () if self.sd is None else (self.name,)
        return (*values, f"{self.name} is missing") if self.indicator else values

    def write(self, column: Column, out: NDArray[np.float64]) -> None:
        """Fill `out` (n, number of outputs). Raises ConfigError if the column is not numeric."""
        if not isinstance(column, NumericColumn):
            raise _wrong_type(self.name, "numeric")
        missing = np.isnan(column.values)
        if self.sd is not None:
            values = np.clip(column.values, self.low, self.high)
            values[missing] = self.centre
            values -= self.mean
            np.divide(values, self.sd, out=out[:, 0])
        if self.indicator:
            out[:, -1] = missing


@dataclass(frozen=True, slots=True)
class CategoryStep:
    """How one categorical column is prepared: one 0/1 column for each of `levels`."""

    name: str
    levels: tuple[str, ...]
    kind: ClassVar[ColumnType] = "categorical"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return tuple(f"{self.name}={level}" for level in self.levels)

    def write(self, column: Column, out: NDArray[np.float64]) -> None:
        """Fill `out` (n, number of outputs). Raises ConfigError if the column is not categorical."""
        if not isinstance(column, CategoryColumn):
            raise _wrong_type(self.name, "categorical")
        place = {level: position for position, level in enumerate(self.levels)}
        # One more entry, last: codes of -1 (missing) find it there.
        target = np.array([place.get(level, -1) for level in (*column.levels, MISSING)])[column.codes]
        out[:] = 0.0
        seen = np.flatnonzero(target >= 0)
        out[seen, target[seen]] = 1.0


Step = NumberStep | CategoryStep


@dataclass(frozen=True, slots=True)
class Preparation:
    """Fitted steps in the order of the table's columns; `dropped` says why a column gives none."""

    steps: tuple[Step, ...]
    dropped: Mapping[str, str]
    settings: PreparationSettings

    @classmethod
    def fit(
        cls, table: PartyTable, train: Positions | None = None, settings: PreparationSettings | None = None
    ) -> Preparation:
        """Learn from the rows `train` (a mask or positions; default all). Raises ConfigError."""
        settings = settings or PreparationSettings()
        steps: list[Step] = []
        dropped: dict[str, str] = {}
        for name, column in table.columns.items():
            rows = column if train is None else column.take(train)
            step = _fit_column(name, rows, settings, dropped)
            if step is not None:
                steps.append(step)
        if dropped:
            logger.warning("columns dropped in preparation: %s", dropped)
        return cls(tuple(steps), dropped, settings)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the prepared columns, (d,). Categories are values of the data: keep these names local."""
        return tuple(name for step in self.steps for name in step.outputs)

    @property
    def origins(self) -> tuple[str, ...]:
        """For each prepared column, (d,), the column of the table it comes from."""
        return tuple(step.name for step in self.steps for _ in step.outputs)

    @property
    def types(self) -> dict[str, ColumnType]:
        """The columns a table must have, for `load(dataset, list(types), types=types)`."""
        return {step.name: step.kind for step in self.steps}

    @property
    def levels(self) -> dict[str, Levels]:
        """What each column of categories held in training."""
        steps = [step for step in self.steps if isinstance(step, CategoryStep)]
        return {step.name: Levels(frozenset(step.levels)) for step in steps}

    def transform(self, table: PartyTable) -> NDArray[np.float64]:
        """The prepared matrix (n, d) of all rows of `table`, column-major. Raises ConfigError."""
        out = np.empty((len(table), len(self.column_names)), order="F")
        start = 0
        for step in self.steps:
            end = start + len(step.outputs)
            step.write(table.column(step.name), out[:, start:end])
            start = end
        return out

    def to_dict(self) -> dict[str, Any]:
        """JSON of it; holds quantiles and category names, so it stays at the party."""
        steps = [{"type": step.kind, **asdict(step)} for step in self.steps]
        return {
            "format": _FORMAT,
            "settings": asdict(self.settings),
            "steps": steps,
            "dropped": dict(self.dropped),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Preparation:
        """Back from `to_dict`. Raises StorageError if it is not one."""
        if content.get("format") != _FORMAT:
            raise _unreadable()
        try:
            steps = tuple(_step(step) for step in content["steps"])
            return cls(steps, dict(content["dropped"]), PreparationSettings(**content["settings"]))
        except (KeyError, TypeError, ValueError) as exc:
            raise _unreadable() from exc


def _fit_column(
    name: str, column: Column, settings: PreparationSettings, dropped: dict[str, str]
) -> Step | None:
    if isinstance(column, CategoryColumn):
        return _fit_categories(name, column, settings, dropped)
    return _fit_numbers(name, column.values, settings, dropped)


def _fit_numbers(
    name: str, values: NDArray[np.float64], settings: PreparationSettings, dropped: dict[str, str]
) -> NumberStep | None:
    missing = np.isnan(values)
    any_missing = bool(missing.any())
    known = values[~missing]
    if not len(known):
        dropped[name] = "no value in the training rows"
        return None
    low, high = np.quantile(known, [settings.low, settings.high])
    centre = np.clip(np.median(known), low, high)
    filled = np.clip(values, low, high)
    filled[missing] = centre
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
        mean, sd = float(filled.mean()), float(filled.std())
    if not np.isfinite(sd):
        raise ConfigError(
            f"column {name!r} holds numbers too large to standardise",
            step="prepare",
            remedy="give it in a larger unit, or correct its cells",
        )
    # Not sd > 0 alone: rounding in the mean gives a constant column a tiny sd.
    constant = bool(filled.min() == filled.max()) or sd == 0
    if constant:
        dropped[name] = "constant in the training rows after clipping" + (
            "; its indicator of missing values is kept" if any_missing else ""
        )
        if not any_missing:
            return None
    return NumberStep(
        name=name,
        low=float(low),
        high=float(high),
        centre=float(centre),
        mean=mean,
        sd=None if constant else sd,
        indicator=any_missing,
    )


def _fit_categories(
    name: str, column: CategoryColumn, settings: PreparationSettings, dropped: dict[str, str]
) -> CategoryStep | None:
    counts = np.bincount(column.codes + 1, minlength=len(column.levels) + 1)
    seen = {level for level, count in zip((MISSING, *column.levels), counts, strict=True) if count}
    if len(seen) > settings.max_categories:
        raise ConfigError(
            f"column {name!r} has {len(seen)} categories in the training rows, at most "
            f"{settings.max_categories} are allowed",
            step="prepare",
            remedy="group its values, leave the column out, declare it numeric, or raise max_categories",
        )
    if len(seen) <= 1:
        dropped[name] = (
            "no value in the training rows" if seen <= {MISSING} else "constant in the training rows"
        )
        return None
    return CategoryStep(name, tuple(sorted(seen)))


def _step(content: Mapping[str, Any]) -> Step:
    fields = {key: value for key, value in content.items() if key != "type"}
    if content["type"] == "numeric":
        return NumberStep(**fields)
    return CategoryStep(fields["name"], tuple(canonical_levels(fields["name"], fields["levels"])))


def _unreadable() -> StorageError:
    return StorageError(
        f"the stored preparation is not of the form {_FORMAT!r}",
        step="prepare",
        remedy="restore the model's file from a backup",
    )


def _wrong_type(name: str, expected: str) -> ConfigError:
    return ConfigError(
        f"column {name!r} is not {expected}, as it was when the model was trained",
        step="prepare",
        remedy=f"describe it with type: {expected}, and correct cells that do not fit",
    )
