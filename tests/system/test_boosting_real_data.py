"""Boosted trees beside XGBoost's `hist` on the shared data sets: the plain twin, which joint trees equal.

Where edges lie moves the AUC of one test set by 0.002 on bank_marketing, by 0.02 on polish1, with 77 events;
there, and on breast, the mean of folds is compared. Over twenty folds of polish1 the mean gap is -0.007 with
a standard error of 0.002: minimums of rows cost something where events are few.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

from saferoom.data.dataset import describe
from saferoom.data.loading import load
from saferoom.data.table import CategoryColumn, PartyTable
from saferoom.data.tree_columns import TreeColumns
from saferoom.lab.room import load_room
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.models.boosting.settings import BoostingSettings

SETTINGS = BoostingSettings(n_estimators=30, max_depth=3, learning_rate=0.3, max_bin=32)
STEADY, MOVED = ("gmsc", "uci_default"), {"bank_marketing": 0.003, "breast": 0.003, "polish1": 0.01}
WITHIN = 0.003

Tables = dict[str, PartyTable]
F64 = NDArray[np.float64]

pytestmark = [pytest.mark.slow, pytest.mark.shared_data]


def pooled(folder: Path) -> tuple[Tables, F64, NDArray[np.bool_]]:
    """Every party's columns of the enterprises that all hold, sorted by id; labels, and which rows train."""
    room = load_room(folder / "room-boosting.yaml")
    read = {}
    for party, part in room.parties.items():
        content = {"name": "rows", **part.model_dump(exclude_none=True)}
        read[party] = load(describe(content, folder, party=party))
    common = sorted(set.intersection(*(set(table.ids.tolist()) for table in read.values())))
    tables = {}
    for party, table in read.items():
        order = np.argsort(table.ids)
        tables[party] = table.take(order[np.searchsorted(table.ids, common, sorter=order)])
    bank = tables[room.label_holder]
    assert bank.label is not None
    assert bank.train is not None
    return tables, bank.label.astype(np.float64), bank.train


def ours(tables: Tables, y: F64, train: NDArray[np.bool_]) -> float:
    fitted = {party: TreeColumns.fit(table.take(train), SETTINGS.max_bin) for party, table in tables.items()}
    of_train = {party: columns.features(tables[party].take(train)) for party, columns in fitted.items()}
    of_all = {party: columns.features(tables[party]) for party, columns in fitted.items()}
    margins = fit_boosting_plain(of_train, y[train], "bank", SETTINGS).margins(of_all)
    return float(roc_auc_score(y[~train], margins[~train]))


def xgboosts(tables: Tables, y: F64, train: NDArray[np.bool_]) -> float:
    x = np.column_stack([_plain(column) for table in tables.values() for column in table.columns.values()])
    model = XGBClassifier(
        tree_method="hist", n_estimators=30, max_depth=3, learning_rate=0.3, max_bin=32, n_jobs=1
    )
    chances: Any = model.fit(x[train], y[train]).predict_proba(x[~train])
    return float(roc_auc_score(y[~train], chances[:, 1]))


def _plain(column: Any) -> F64:
    """As XGBoost takes it: numbers with NaN for missing, one column a level of a category."""
    if isinstance(column, CategoryColumn):
        return (column.codes[:, None] == np.arange(-1, len(column.levels))).astype(np.float64)
    values: F64 = column.values
    return values


@pytest.mark.parametrize("name", STEADY)
def test_auc_is_that_of_xgboost(name: str, shared_data_dir: Path) -> None:
    tables, y, train = pooled(shared_data_dir / name)
    assert ours(tables, y, train) > xgboosts(tables, y, train) - WITHIN


@pytest.mark.parametrize("name", MOVED)
def test_mean_auc_of_five_folds_is_near_that_of_xgboost(name: str, shared_data_dir: Path) -> None:
    tables, y, _ = pooled(shared_data_dir / name)
    gaps = []
    for kept, _ in StratifiedKFold(n_splits=5, shuffle=True, random_state=0).split(y, y):
        train = np.zeros(len(y), dtype=bool)
        train[kept] = True
        gaps.append(ours(tables, y, train) - xgboosts(tables, y, train))
    assert np.mean(gaps) > -MOVED[name]
