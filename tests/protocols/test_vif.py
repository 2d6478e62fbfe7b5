"""Variance inflation factors across parties: those of the pooled columns, and the same columns left out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.models.scorecard.vif import RIDGE, _bound, deal_leave_out_collinear, leave_out_collinear
from tests.numeric_room import Room

Array = np.ndarray[Any, Any]
ROWS = 800


def pooled_factors(columns: Array) -> Array:
    return np.diag(np.linalg.inv(np.corrcoef(columns.T)))


def left_by_the_rule(blocks: list[Array], most: float) -> list[list[bool]]:
    """The plain twin: leave out the column with the largest factor, one by one."""
    columns = np.hstack(blocks)
    left = list(range(columns.shape[1]))
    while True:
        factors = pooled_factors(columns[:, left])
        if factors.max() <= most:
            break
        del left[int(np.argmax(factors))]
    ends = np.cumsum([0] + [block.shape[1] for block in blocks])
    return [[j in left for j in range(a, b)] for a, b in pairwise(ends)]


def blocks_of(parties: int, seed: int = 0) -> list[Array]:
    """Three columns a party; the second party's first nearly repeats the first's, the last is a mixture."""
    rng = np.random.default_rng(seed)
    blocks = [rng.normal(size=(ROWS, 3)) for _ in range(parties)]
    blocks[1][:, 0] = blocks[0][:, 1] + 0.2 * rng.normal(size=ROWS)
    blocks[-1][:, 2] = blocks[0][:, 0] - blocks[1][:, 2] + 0.4 * rng.normal(size=ROWS)
    return blocks


def play(blocks: list[Array], most: float) -> Any:
    def party(session: Session, index: int) -> tuple[list[bool], Any, Any]:
        seen: list[Array] = []
        reveal = session.reveal

        def watched(*args: Any, **more: Any) -> Any:
            shown = reveal(*args, **more)
            seen.append(shown)
            return shown

        session.reveal = watched  # type: ignore[method-assign]
        kept = leave_out_collinear(session, blocks[index], label_holder="p0", most=most)
        return kept.stays.tolist(), seen, kept.factors

    return Room().run(len(blocks), party, lambda s: deal_leave_out_collinear(s, "p0"))


@pytest.mark.parametrize("parties", [2, 3])
def test_the_same_columns_are_left_out_as_in_the_clear(parties: int) -> None:
    blocks = blocks_of(parties)
    expected = left_by_the_rule(blocks, 5.0)
    assert not all(all(one) for one in expected)
    played = play(blocks, 5.0)
    assert [kept for kept, *_ in played.results] == expected


def test_the_factors_are_those_of_the_pooled_columns() -> None:
    blocks = blocks_of(3)
    played = play(blocks, 1000.0)
    kept, seen, factors = played.results[0]
    assert kept == [True] * 3
    correlations = np.corrcoef(np.hstack(blocks).T)
    expected = np.diag(np.linalg.inv(correlations + RIDGE * np.eye(9)))
    assert seen[-1].view(np.int64) / 2**12 == pytest.approx(expected, rel=0.03)
    assert [factors[f"p{place}"] for place in range(3)] == [
        pytest.approx(expected[3 * place : 3 * place + 3], rel=0.03) for place in range(3)
    ]
    assert all(told == {} for *_, told in played.results[1:])
    assert not (seen[-1] % 2**6).any()
    assert all(shown is None for _, others, _ in played.results[1:] for shown in others)


def test_of_factors_the_last_alone_are_told() -> None:
    """The label holder learns which column is the worst, and no factor on the way."""
    played = play(blocks_of(3), 5.0)
    told = [(d.kind, d.to, d.shape) for d in played.disclosures if d.kind != "widths"]
    assert told.count(("vif", "p0", (9,))) == 0
    assert {one for one in told if one[0] == "vif"} == {("vif", "p0", (7,))}
    assert {one for one in told if one[1] == "p0"} == {
        ("vif", "p0", (7,)),
        ("left_out", "p0", (2,)),
        ("left_out", "p0", (1,)),
    }


def test_a_feature_holder_keeps_its_last_column() -> None:
    rng = np.random.default_rng(3)
    bank = rng.normal(size=(ROWS, 2))
    tax = bank[:, :1] + 0.01 * rng.normal(size=(ROWS, 1))
    played = play([bank, tax], 5.0)
    assert [kept for kept, *_ in played.results] == [[False, True], [True]]


def test_the_bound_holds_for_columns_that_repeat_each_other() -> None:
    column = np.random.default_rng(0).normal(size=(ROWS, 1))
    repeated = np.corrcoef(np.repeat(column, 12, axis=1).T)
    assert np.linalg.eigvalsh(repeated).max() <= _bound(12)
