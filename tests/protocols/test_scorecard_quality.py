"""Binning keeps what the data show: as good as bins without any minimum, where merging goes wrong easily."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.data.woe import WoePreparation
from tests.scorecard_sets import (
    CASES,
    MINIMUM_EVENTS,
    TRAIN,
    Case,
    binned,
    levels_without_events,
    piled_up,
    telling_gap,
    without_minimums,
)

MOST_LOST = 0.003


def auc(case: Case, found: WoePreparation) -> float:
    return case.auc(lambda rows: found.transform(case.table(rows)))


@pytest.mark.parametrize("own", [True, False], ids=["label holder", "feature holder"])
@pytest.mark.parametrize("name", CASES)
def test_no_more_is_lost_than_a_few_thousandths(name: str, own: bool) -> None:
    case = CASES[name]()
    assert auc(case, binned(case, own=own)) > without_minimums(case) - MOST_LOST


@pytest.mark.parametrize("own", [True, False], ids=["label holder", "feature holder"])
def test_a_rare_gap_earns_fewer_points_than_any_value(own: bool) -> None:
    """0.5 % of the rows miss the value, nearly all default: the median's bin would hide them."""
    case = telling_gap()
    column = binned(case, own=own).columns[0]
    assert column.names[column.bins.missing] == "missing"
    assert (
        column.woe[column.bins.missing] < column.woe.min(initial=0, where=column.woe > column.woe.min()) - 2
    )
    assert column.counts.events[column.bins.missing] > 0.9 * column.counts.rows[column.bins.missing]


def test_a_value_between_riskier_neighbours_has_a_bin_of_its_own() -> None:
    column = binned(piled_up(), own=False).columns[0]
    pile = int(column.bins.assign(np.array([10.0]))[0])
    others = np.delete(column.woe, pile)
    assert column.woe[pile] > others.max() + 2


def test_levels_without_events_stand_with_none_that_has_some() -> None:
    """At a feature holder their events are not told: they stand at half of the minimum, marked."""
    case = levels_without_events()
    for own in (True, False):
        column = binned(case, own=own).columns[0]
        levels = dict(column.bins.levels)
        safe = {levels["kind 3"], levels["kind 6"]}
        assert not safe & {levels[f"kind {number}"] for number in (0, 1, 2, 4, 5, 7)}
        events = column.counts.events[list(safe)]
        assert events.sum() == 0 if own else 0 < events.sum() <= MINIMUM_EVENTS
        assert set(column.estimated) >= (set() if own else safe)


def test_what_binning_cost_is_told() -> None:
    column = binned(telling_gap(0.001), own=False).columns[0]
    assert column.loss is not None
    rare = np.isnan(telling_gap(0.001).columns["gap"].values[:TRAIN]).sum()  # type: ignore[union-attr]
    assert 0 < rare < 50
    assert [what for what, _ in column.loss.joined] == ["missing"]
    assert column.loss.iv_counted > column.iv
