"""The stability index, worked out by hand, and of columns of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import UsageError
from saferoom.models.stability import column_stability, stability_index


def test_stability_index_of_shares_worked_out_by_hand() -> None:
    before = np.repeat([1.0, 2.0], 50)
    after = np.repeat([1.0, 2.0], [25, 75])
    assert stability_index(before, before) == 0
    assert stability_index(before, after, bins=2) == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))
    assert stability_index(before, np.full(10, 9.0), bins=2) > 1
    with pytest.raises(UsageError, match="not empty"):
        stability_index(before, [])


def test_the_same_and_a_shifted_sample_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=20_000)
    assert stability_index(first, rng.normal(size=20_000)) < 0.01
    assert stability_index(first, rng.normal(0.8, 1, size=20_000)) > 0.25


@pytest.mark.parametrize(("before", "after"), [(0.05, 0.2), (0.95, 0.8)])
def test_a_rare_category_that_grew_is_seen(before: float, after: float) -> None:
    """All quantiles of such a column are one value."""
    ones = [np.arange(1000) < 1000 * share for share in (before, after)]
    expected = (after - before) * np.log(after / before * (1 - before) / (1 - after))
    assert stability_index(*ones) == pytest.approx(expected)


@pytest.mark.parametrize("values", [(0.0,), (0.0, 1.0), (1.0, 2.0, 3.0)])
@pytest.mark.parametrize("new", [-9.0, 0.5, 9.0])
def test_values_that_training_never_saw_are_a_bin_of_their_own(values: tuple[float, ...], new: float) -> None:
    """The right value: all rows leave their bins for one that held none."""
    before = np.repeat(values, 300 // len(values))
    shares = np.append(np.full(len(values), 1 / len(values)), 0.5 / 300)
    after = np.append(np.full(len(values), 0.5 / 300), 1.0)
    expected = np.sum((after - shares) * np.log(after / shares))
    assert stability_index(before, np.full(300, new)) == pytest.approx(expected)
    assert stability_index(before, np.append(before[:297], [new] * 3)) > stability_index(before, before) == 0


def test_each_column_has_its_index() -> None:
    rng = np.random.default_rng(2)
    train, test = rng.normal(size=(5000, 3)), rng.normal([0.0, 1.0, 0.0], 1.0, (4000, 3))
    test[:, 2] = train[0, 2] = 1.0
    found = column_stability(["still", "moved", "fixed"], train, test)
    assert list(found) == ["still", "moved", "fixed"]
    assert found["still"] < 0.01 and found["moved"] > 0.25 and found["fixed"] > 0.25
    assert column_stability(["still"], train[:, :1], test[:0, :1]) == {}
