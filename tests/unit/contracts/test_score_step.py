"""The step of released scores: a term that old contracts do not have, explained, and bounded by policies."""

from __future__ import annotations

from typing import Any

import pytest

from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.contract import parse_contract
from saferoom.contracts.explain import explain, render_explanation
from saferoom.contracts.policy import Policy, policy_reasons
from saferoom.errors import ConfigError
from saferoom.kinds.score_step import USUAL_STEP, points_step
from tests.unit.contracts.conftest import NOW


def test_a_contract_without_one_has_the_usual_step_and_its_old_canonical_form(house: Any) -> None:
    contract = house.contract()
    assert contract.score_step is None
    assert contract.released_step == USUAL_STEP == 1 / 64
    assert b"score_step" not in canonical_bytes(contract)


@pytest.mark.parametrize("step", [1, 1.0, 0.5, 0.0625, 2**-10])
def test_a_step_stands_under_the_hash_and_comes_back(house: Any, step: float) -> None:
    contract = house.contract(score_step=step)
    assert parse_contract(canonical_bytes(contract)) == contract
    assert contract.released_step == step
    assert canonical_bytes(contract) != canonical_bytes(house.contract())


@pytest.mark.parametrize("step", [0, 0.1, 2, -0.5, 2**-11, 0.3])
def test_other_steps_are_refused(house: Any, step: float) -> None:
    with pytest.raises(ConfigError, match=r"score_step: must be 1, 0\.5, 0\.25"):
        house.contract(score_step=step)


@pytest.mark.parametrize("step", ["0.5", True, "fine"])
def test_a_step_is_a_number(house: Any, step: Any) -> None:
    with pytest.raises(ConfigError, match="score_step"):
        house.contract(score_step=step)


@pytest.mark.parametrize(
    ("step", "pdo", "points"),
    [(1 / 64, 50, 1), (1 / 64, 20, 1), (1 / 64, 200, 4), (0.25, 50, 16), (1, 50, 64)],
)
def test_points_are_as_coarse_as_scores_and_whole(step: float, pdo: float, points: float) -> None:
    assert points_step(step, pdo / 0.6931471805599453) == points


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "scores to steps of 0.015625 log-odds"), ("zh", "评分的步长为 0.015625(对数几率)")],
)
def test_the_step_is_explained(house: Any, lang: str, words: str) -> None:
    assert words in render_explanation(explain(house.contract(), lang))
    assert "0.25" in render_explanation(explain(house.contract(score_step=0.25), lang))


def test_a_scorecards_points_are_explained_too(house: Any) -> None:
    contract = house.contract(task={"kind": "scorecard"}, score_step=0.25)
    assert "points to steps of 16" in render_explanation(explain(contract, "en"))
    assert "评分卡分数的步长为 16 分" in render_explanation(explain(contract, "zh"))
    assert "points" not in render_explanation(explain(house.contract(), "en")).partition("\n\n")[0]


def test_a_finer_step_than_the_policys_is_refused(house: Any) -> None:
    fine = house.contract(score_step=2**-7)
    assert policy_reasons(Policy(), fine, "tax", NOW) == [
        "scores in steps of 0.0078125 log-odds are finer than our 0.015625"
    ]
    assert not policy_reasons(Policy(minimum_score_step=2**-7), fine, "tax", NOW)
    assert not policy_reasons(Policy(), house.contract(), "tax", NOW)
    assert policy_reasons(Policy(minimum_score_step=0.25), house.contract(), "tax", NOW)
