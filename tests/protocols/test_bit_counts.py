"""Counts of shared bits, AUC on shares, the check of the range: equal to the plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saferoom.errors import ShapeError
from saferoom.models.logistic.range_check import deal_is_in_range, is_in_range
from saferoom.protocols.bit_counts import count_bits, deal_count
from saferoom.protocols.ranked_pairs import deal_pairs, reveal_pairs
from saferoom.sharing.values import Share
from tests.correlation_cases import total
from tests.numeric_room import Played, Room
from tests.protocols.test_comparison import split, split_bits

parties = pytest.mark.parametrize("k", [2, 3, 5])
rng = np.random.default_rng(5)


@parties
@pytest.mark.parametrize("size", [0, 1, 16, 17, 100, 5_000])
def test_bits_are_counted(k: int, size: int) -> None:
    shares_of_ones = np.array([0, 0.1, 0.5, 1])[:, None, None]
    bits = np.packbits(rng.random((4, size, 8)) < shares_of_ones, axis=2)[:, :, 0]
    shares = split_bits(bits, k)
    played = Room().play(
        k,
        lambda s, d, i: count_bits(s, d, "count", shares[i]),
        lambda dealer, s: deal_count(dealer, s, "count", 4, size),
    )
    found = total([share.value for share in played.results])
    assert found.tolist() == np.unpackbits(bits, axis=1).sum(axis=1).tolist()


def test_rounds_and_bytes_are_those_of_the_docstring() -> None:
    shares = split_bits(np.zeros((2, 16_000), dtype=np.uint8), 3)
    played = Room().play(
        3,
        lambda s, d, i: count_bits(s, d, "count", shares[i]),
        lambda dealer, s: deal_count(dealer, s, "count", 2, 16_000),
    )
    assert played.meters["p0"].rounds == 1 + sum(range(1, 9))
    assert played.meters["p0"].sent["p1"].size_bytes == pytest.approx(4 * 2 * 16_000, rel=0.05)


def pairs(values: Any, events: Any, grid: list[int], k: int, holder: int = 0) -> Played:
    shares = split(values, k)
    return Room().play(
        k,
        lambda s, d, i: reveal_pairs(
            s, d, shares[i], grid, events if i == holder else None, label_holder=f"p{holder}"
        ),
        lambda dealer, s: deal_pairs(dealer, s, len(values), len(grid)),
    )


@parties
@pytest.mark.parametrize("rows", [9, 500])
def test_pairs_are_those_of_the_plain_numbers(k: int, rows: int) -> None:
    """With a step for each value it is the AUC itself, with ties by halves."""
    values = rng.integers(-20, 20, rows)
    events = np.append([True, False], rng.random(rows - 2) < 0.3)
    played = pairs(values, events, list(range(-20, 21)), k, holder=k - 1)
    twice = played.results[k - 1]
    assert played.results[:-1] == [None] * (k - 1)
    found = twice / (2 * events.sum() * (~events).sum())
    assert found == pytest.approx(roc_auc_score(events, -values), abs=1e-12)
    assert {(what.kind, what.to, what.shape) for what in played.disclosures} == {("auc", f"p{k - 1}", (1,))}
    assert max(meter.rounds for meter in played.meters.values()) <= 45


@pytest.mark.parametrize("all_of_one_class", [True, False])
def test_one_class_has_no_pairs(all_of_one_class: bool) -> None:
    events = np.full(40, all_of_one_class)
    assert pairs(np.arange(40), events, [10, 20], 2).results[0] == 0


def test_only_the_label_holder_gives_classes() -> None:
    with pytest.raises(ShapeError, match="nobody else"):
        pairs(np.arange(9), None, [1], 2)


def check(scores: Any, k: int, frac_bits: int, dtype: Any, reach: float = 8.0) -> Played:
    words = np.rint(scores * 2.0**frac_bits).astype(np.int64)
    shares = [Share(share.value, frac_bits) for share in split(words, k, dtype)]
    return Room().play(
        k,
        lambda s, d, i: is_in_range(s, d, shares[i], reach),
        lambda dealer, s: deal_is_in_range(dealer, s, len(scores)),
    )


@parties
@pytest.mark.parametrize(("frac_bits", "dtype"), [(23, np.uint32), (55, np.uint64), (16, np.uint32)])
@pytest.mark.parametrize(("beyond", "is_well"), [(0, True), (2, True), (3, False), (400, False)])
def test_all_learn_whether_scores_lie_in_range(
    k: int, frac_bits: int, dtype: Any, beyond: int, is_well: bool
) -> None:
    """Of 1,000 rows two may lie beyond 1.4 times the reach; at both ends, and on the edge."""
    scores = np.clip(rng.normal(0, 3, 1_000), -11.1, 11.1)
    scores[0], scores[1] = 11.19, -11.19
    scores[2 : 2 + beyond] = np.resize([11.3, -11.3, 100.0, -100.0], beyond)
    played = check(scores, k, frac_bits, dtype)
    assert played.results == [is_well] * k
    learnt = {(what.kind, what.to, what.shape) for what in played.disclosures}
    assert learnt == {("range_check", name, (1,)) for name in (*Room().names(k), "helper")}
    assert max(meter.rounds for meter in played.meters.values()) <= 48
