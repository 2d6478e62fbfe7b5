"""Plays whole joint logistic regressions in memory, and prepares the real data sets for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from saferoom.channel.session import Session
from saferoom.ids import is_valid_uscc, normalise_uscc
from saferoom.models.logistic.train import (
    LocalModel,
    LogisticSettings,
    Logits,
    deal_evaluation,
    deal_logistic,
    evaluate,
    release,
    train_logistic,
)
from tests.numeric_room import Played, Room
from tests.waiting import LIMIT_S

Array = np.ndarray[Any, Any]


@dataclass
class Joint:
    """What a whole job gave: coefficients in the order of the blocks, the intercept, the scores."""

    coefficients: Array
    intercept: float
    logits: Logits
    played: Played


def play_logistic(
    blocks: list[Array],
    labels: Array,
    tests: list[Array] | None = None,
    *,
    settings: LogisticSettings | None = None,
    holder: int = 0,
    step: float = 2.0**-32,
    timeout_s: float = LIMIT_S,
    meddle: Callable[[Session], None] = lambda session: None,
    room: Room | None = None,
) -> Joint:
    """Train on `blocks` (one a party), evaluate on `tests`, release. `meddle` may bend a session first.

    Scores come in multiples of `step`: unless told otherwise as exact as they are.
    """
    room, settings = room or Room(timeout_s), settings or LogisticSettings()
    label_holder = f"p{holder}"
    tests = tests if tests is not None else [block[:0] for block in blocks]

    def party(session: Session, index: int) -> tuple[LocalModel, Logits | None]:
        meddle(session)
        own = labels if index == holder else None
        trained = train_logistic(session, blocks[index], own, settings, label_holder=label_holder)
        local = release(session, trained)
        return local, evaluate(session, trained, tests[index], step)

    def helper(session: Session) -> None:
        meddle(session)
        deal_evaluation(deal_logistic(session, settings, label_holder=label_holder))

    played = room.run(len(blocks), party, helper)
    models = [model for model, _ in played.results]
    logits = played.results[holder][1]
    assert all(model.intercept is None for i, model in enumerate(models) if i != holder)
    return Joint(
        np.concatenate([model.coefficients for model in models]), models[holder].intercept, logits, played
    )


def synthetic(
    rows: int, widths: list[int], seed: int = 0, correlated: bool = True
) -> tuple[list[Array], Array]:
    """Standardised columns, half of their variance from common factors, and labels."""
    rng = np.random.default_rng(seed)
    columns = sum(widths)
    x = rng.normal(size=(rows, columns))
    if correlated:
        x = x + rng.normal(size=(rows, 4)) @ rng.normal(size=(4, columns)) / 2
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    z = x @ rng.normal(size=columns) / np.sqrt(columns) - 1
    labels = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(float)
    return np.split(x, np.cumsum(widths)[:-1], axis=1), labels


@dataclass
class RealData:
    """One data set, joined and prepared: blocks (n, d_i) per party, labels, which rows are for training."""

    blocks: list[Array]
    labels: Array
    train: Array


def load_real(folder: Path) -> RealData:
    """Join the parties' files on the clean ids; prepare each column on the training rows alone."""
    tables = [
        _read(folder / f"{p}.csv") for p in ("bank", "tax", "utility") if (folder / f"{p}.csv").exists()
    ]
    ids = sorted(set.intersection(*(set(rows) for _, rows in tables)))
    names, rows = tables[0]
    train = np.array([rows[i][names.index("split")] == "train" for i in ids])
    labels = np.array([rows[i][names.index("y")] for i in ids], dtype=float)
    blocks = []
    for names, rows in tables:
        columns = zip(names, zip(*(rows[i] for i in ids), strict=True), strict=True)
        parts = [_prepare(column, train) for name, column in columns if name not in ("y", "split")]
        blocks.append(np.column_stack([part for some in parts for part in some]))
    return RealData(blocks, labels, train)


def _read(path: Path) -> tuple[list[str], dict[str, tuple[Any, ...]]]:
    options = pyarrow.csv.ConvertOptions(
        column_types={"uscc": pa.string(), "id": pa.string()}, strings_can_be_null=True, null_values=[""]
    )
    table = pyarrow.csv.read_csv(path, convert_options=options)
    key, *names = table.column_names
    rows = {}
    for row in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        code = normalise_uscc(row[0]) if key == "uscc" else row[0]
        if key != "uscc" or is_valid_uscc(code):
            rows[code] = row[1:]
    return names, rows


def _prepare(column: tuple[Any, ...], train: Array) -> list[Array]:
    """Numbers: winsorise at 0.5 %, impute, standardise, indicator. Text: one column a category."""
    if any(isinstance(value, str) for value in column):
        text = np.array(["(missing)" if value is None else value for value in column], dtype=object)
        return [(text == level).astype(float) for level in sorted(set(text[train]))]
    values = np.array([np.nan if value is None else value for value in column], dtype=float)
    gap = np.isnan(values)
    known = values[train & ~gap]
    low, high = np.quantile(known, [0.005, 0.995])
    values = np.where(gap, np.clip(np.median(known), low, high), np.clip(values, low, high))
    mean, spread = values[train].mean(), values[train].std()
    out = [(values - mean) / spread] if spread > 0 else []
    return [*out, gap.astype(float)] if gap[train].any() else out
