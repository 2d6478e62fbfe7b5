"""Weight of evidence, information value, stability index: by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from saferoom.errors import StorageError, UsageError
from saferoom.models.scorecard.binning import NumberBins
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.woe import BinCounts
from saferoom.models.scorecard.woe_column import BinningLoss, WoeColumn, fit_column
from saferoom.models.stability import stability_of_counts


def test_woe_and_iv_by_hand() -> None:
    counts = BinCounts(np.array([100, 300]), np.array([40, 60]))
    woe = [math.log((60 / 300) / (40 / 100)), math.log((240 / 300) / (60 / 100))]
    assert counts.woe() == pytest.approx(woe)
    assert counts.iv() == pytest.approx((0.2 - 0.4) * woe[0] + (0.8 - 0.6) * woe[1])


def test_a_count_of_zero_stands_for_half_a_row() -> None:
    counts = BinCounts(np.array([50, 50]), np.array([0, 20]))
    assert counts.woe()[0] == pytest.approx(math.log((50 / 80) / (0.5 / 20)))
    assert np.isfinite(BinCounts(np.array([5, 5]), np.array([5, 0])).woe()).all()


def test_a_column_is_merged_in_two_steps_and_survives_json() -> None:
    pre = NumberBins((1.0, 2.0, 3.0), {}, 4)
    groups = np.array([0, 1, 1, 2, 3])
    counts = BinCounts(np.array([100, 200, 100, 50]), np.array([5, 20, 40, 30]))
    column = fit_column("x", pre, groups, counts, MergeSettings(max_bins=2, minimum_rows=20))
    assert column is not None
    assert column.bins == NumberBins((3.0,), {}, 2)
    assert column.counts.rows.tolist() == [300, 100, 50]
    again = WoeColumn.from_dict(column.to_dict())
    assert again.woe.tolist() == column.woe.tolist()
    assert again.iv == column.iv
    with pytest.raises(StorageError):
        WoeColumn.from_dict({**column.to_dict(), "rows": [1]})


def test_a_column_that_says_nothing_gives_none() -> None:
    counts = BinCounts(np.array([10, 10]), np.array([1, 5]))
    pre = NumberBins((1.0,), {}, 0)
    assert fit_column("x", pre, np.array([0, 1]), counts, MergeSettings(minimum_rows=15)) is None


def test_stability_of_counts_by_hand() -> None:
    expected = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert stability_of_counts(np.array([50, 50]), np.array([6, 4])) == pytest.approx(expected)
    assert stability_of_counts(np.array([5, 5]), np.array([70, 70])) == 0
    with pytest.raises(UsageError):
        stability_of_counts(np.array([5, 5]), np.array([0, 0]))


def test_what_has_no_bin_of_its_own_is_named_and_gaps_only_where_there_were_some() -> None:
    """Of five bins three are numbers; code -1 is rare, and joins the risky one; nothing is missing."""
    pre = NumberBins((0.0, 1.0), {-1.0: 3}, 4)
    counts = BinCounts(np.array([400, 400, 400, 9, 0]), np.array([200, 40, 20, 7, 0]))
    settings = MergeSettings(minimum_rows=50, lone_rows=20)
    column = fit_column("debt", pre, np.arange(5), counts, settings)
    assert column is not None
    assert column.names == ("(-inf, 0] or special -1", "(0, 1]", "(1, inf)")
    assert column.loss is not None
    assert column.loss.joined == (("special -1", "(-inf, 0] or special -1"),)
    assert column.loss.iv_counted == pytest.approx(counts.iv())
    again = WoeColumn.from_dict(json.loads(json.dumps(column.to_dict())))
    assert (again.names, again.loss, again.estimated) == (column.names, column.loss, ())


def test_estimated_bins_stay_marked_through_merging_and_json() -> None:
    counts = BinCounts(np.array([400, 400, 60]), np.array([200, 20, 5]), np.array([False, True, True]))
    column = fit_column("a", NumberBins((0.0,), {}, 2), np.arange(3), counts, MergeSettings(lone_rows=20))
    assert column is not None
    assert column.estimated == (1, 2)
    again = WoeColumn.from_dict(json.loads(json.dumps(column.to_dict())))
    assert again.estimated == (1, 2)
    assert np.array_equal(again.woe, column.woe)


def test_models_that_were_made_before_losses_were_kept_are_read() -> None:
    plain = {
        "name": "a",
        "bins": {"type": "numeric", "edges": [0.5], "specials": [], "missing": 1},
        "rows": [10, 20],
        "events": [1, 5],
    }
    column = WoeColumn.from_dict(plain)
    assert column.loss is None
    assert column.names == ("(-inf, 0.5]", "(0.5, inf) or missing")
    assert column.to_dict() == plain
    assert BinningLoss(0.2).joined == ()
