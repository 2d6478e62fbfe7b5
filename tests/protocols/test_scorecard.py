"""A joint scorecard of 2, 3 and 4 parties against its plain twin on pooled columns: same bins, same model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.he.keys import Encryption
from saferoom.models.logistic.plan import LogisticSettings
from saferoom.models.logistic.train import deal_evaluation, deal_logistic, evaluate, release, train_logistic
from saferoom.models.metrics import metrics_summary
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.plain import PlainBinning, fit_scorecard_plain
from saferoom.models.scorecard.pre_binning import quantile_bins
from saferoom.models.scorecard.woe import BinCounts
from saferoom.models.scorecard.woe_column import WoeColumn, fit_column
from saferoom.protocols.bins import BinnedFeature, Minimums
from saferoom.protocols.label_counts import count_events
from saferoom.scoring.points import pd_from_logit
from tests.logistic_room import synthetic
from tests.numeric_room import Room

Array = np.ndarray[Any, Any]
ROWS, TRAIN = 1500, 1000
MINIMUMS = Minimums(40, 5)
MERGE = MergeSettings(max_bins=5, minimum_rows=50, minimum_events=5)
SETTINGS = LogisticSettings()


def woe_columns(session: Session, block: Array, labels: Array | None) -> list[WoeColumn]:
    """What a party does before training."""
    pre = [quantile_bins(column, count=10, minimum_rows=MINIMUMS.rows) for column in block.T]
    features = [BinnedFeature(b.assign(c), b.size, b.ordered) for b, c in zip(pre, block.T, strict=True) if b]
    encryption = Encryption(bits=2048)
    counted = count_events(
        session, "p0", len(block), MINIMUMS, labels=labels, features=features, encryption=encryption
    )
    found = []
    for number, (bins, one) in enumerate(zip(pre, counted, strict=True)):
        column = fit_column(
            str(number), bins, one.merged, BinCounts(one.rows, one.events[:, 0], one.estimated), MERGE
        )
        found += [column] if column else []
    return found


def woe_of(columns: list[WoeColumn], block: Array) -> Array:
    parts = [column.woe[column.bins.assign(block[:, int(column.name)])] for column in columns]
    return np.column_stack(parts) if parts else np.zeros((len(block), 0))


@pytest.mark.parametrize("widths", [[2, 3], [2, 2, 1], [1, 1, 1, 2]])
def test_bins_and_model_are_those_of_the_plain_twin(widths: list[int]) -> None:
    blocks, labels = synthetic(ROWS, widths, seed=len(widths))
    blocks[-1][::9, 0] = np.nan

    def party(session: Session, index: int) -> Any:
        own = labels[:TRAIN] if index == 0 else None
        columns = woe_columns(session, blocks[index][:TRAIN], None if own is None else own.astype(np.int64))
        woe = woe_of(columns, blocks[index])
        trained = train_logistic(session, woe[:TRAIN], own, SETTINGS, label_holder="p0")
        local = release(session, trained)
        return columns, local, evaluate(session, trained, woe[TRAIN:], 2.0**-32)

    def helper(session: Session) -> None:
        deal_evaluation(deal_logistic(session, SETTINGS, label_holder="p0"))

    played = Room(60).run(len(widths), party, helper)
    pooled = np.hstack(blocks)
    named = {str(number): column for number, column in enumerate(pooled.T)}
    twin = fit_scorecard_plain(
        {name: column[:TRAIN] for name, column in named.items()},
        labels[:TRAIN],
        PlainBinning(10, MINIMUMS, MERGE, frozenset(map(str, range(widths[0])))),
        SETTINGS,
    )
    joint = [column for columns, _, _ in played.results for column in columns]
    assert [column.bins for column in joint] == [column.bins for column in twin.columns]
    assert [column.woe.tolist() for column in joint] == [column.woe.tolist() for column in twin.columns]
    coefficients = np.concatenate([model.coefficients for _, model, _ in played.results])
    assert coefficients == pytest.approx(twin.regression.coefficients, abs=0.01)
    assert played.results[0][1].intercept == pytest.approx(twin.regression.intercept, abs=0.01)
    plain = twin.logits({name: column[TRAIN:] for name, column in named.items()})
    auc = [
        metrics_summary(labels[TRAIN:].astype(int), pd_from_logit(logits))["auc"]
        for logits in (played.results[0][2].test, plain)
    ]
    assert auc[0] == pytest.approx(auc[1], abs=0.002)
