"""Grades alone in contracts: what is fixed, what is refused, and what signers are told."""

from __future__ import annotations

from typing import Any

import pytest

from saferoom.contracts.contract import Contract, contract_from
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.contracts.explain import explain, render_explanation
from saferoom.errors import ConfigError, RefusedError

PARTIES = ("bank", "tax", "utility")
PUBLIC = {"names": ["good", "fair", "poor"], "by": "pd", "cuts": [0.05, 0.2]}


def outputs(parties: tuple[str, ...] = PARTIES, **forms: tuple[str, ...]) -> list[dict[str, str]]:
    own = [{"to": party, "form": "coefficients"} for party in parties]
    return own + [{"to": party, "form": form} for form, tos in forms.items() for party in tos]


def contract(house: Any, *parties: str, **changes: Any) -> Contract:
    terms = {"outputs": outputs(("bank", *(parties or PARTIES[1:])), grade_only=("bank",)), "grading": PUBLIC}
    found: Contract = house.contract(*parties, **(terms | changes))
    return found


def test_a_contract_with_grades_alone_is_read_back(house: Any) -> None:
    agreed = contract(house)
    assert contract_from(agreed.to_plain()) == agreed
    assert agreed.to_plain()["grading"] == PUBLIC


def test_a_contract_without_it_has_the_form_that_it_had(house: Any) -> None:
    assert "grading" not in house.contract().to_plain()


@pytest.mark.parametrize("kind", ["logistic", "scorecard"])
def test_nobody_may_learn_a_score(house: Any, kind: str) -> None:
    agreed = contract(house, task={"kind": kind})
    kinds = {learnt for learnt, _ in allowed_disclosures(agreed)}
    assert not kinds & {"score", "points"}
    assert ("grades", "bank") in allowed_disclosures(agreed, "train")
    assert ("auc", "bank") in allowed_disclosures(agreed, "train")
    assert ("grades", "bank") in allowed_disclosures(agreed, "score")
    assert ("auc", "bank") not in allowed_disclosures(agreed, "score")


def test_other_recipients_learn_grades_in_score_jobs_only(house: Any) -> None:
    agreed = contract(house, outputs=outputs(grade_only=("bank", "tax")))
    assert ("grades", "tax") in allowed_disclosures(agreed, "score")
    assert not {("grades", "tax"), ("auc", "tax")} & allowed_disclosures(agreed, "train")
    assert agreed.kind.jobs_by_name["score"].asked_by(agreed) == "bank"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outputs": outputs(grade_only=("bank",), score=("bank",))}, "the output score to bank tells it"),
        ({"outputs": outputs(grade_only=("tax",))}, "needs the output score to the label holder"),
        ({"outputs": outputs(score=("bank",))}, "no output is grade_only"),
        ({"task": {"kind": "boosting"}}, "grade_only is not supported by this version for a boosting task"),
        (
            {"task": {"kind": "scorecard", "params": {"standard_errors": True}}},
            "standard errors need the output score",
        ),
        ({"outputs": outputs(grade_only=("bank",), reason_codes=("tax",))}, "which tax does not learn"),
    ],
)
def test_what_does_not_go_with_grades_alone_is_refused(house: Any, changes: Any, said: str) -> None:
    if "reason_codes" in str(changes):
        changes |= {"task": {"kind": "scorecard"}}
    with pytest.raises(RefusedError, match=said):
        contract(house, **changes)


def test_the_cuts_must_be_there(house: Any) -> None:
    plain = contract(house).to_plain()
    del plain["grading"]
    with pytest.raises(RefusedError, match="needs the term grading"):
        contract_from(plain)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"names": ["A", "B"], "by": "pd"}, "named together"),
        ({"names": ["A", "B"], "cuts": [0.1]}, "named together"),
        ({"names": ["A", "B", "C"], "by": "pd", "cuts": [0.1]}, "3 grades have 2 cuts"),
        ({"names": ["A", "B", "C"], "by": "pd", "cuts": [0.2, 0.1]}, "must rise"),
        ({"names": ["A", "B", "C"], "by": "points", "cuts": [1, 2]}, "must fall"),
        ({"names": ["A", "B"], "by": "pd", "cuts": [1.5]}, "between 0 and 1"),
        ({"names": ["A", "B"], "by": "shares", "cuts": [0.5]}, "pd"),
        ({"names": ["A"]}, "names"),
        ({"names": ["A", "A"]}, "twice"),
    ],
)
def test_wrong_cuts_are_named(house: Any, rule: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        contract(house, grading=rule)


def test_two_parties_need_not_accept_what_a_score_would_show(house: Any) -> None:
    assumptions = ["semi_honest_parties", "helper_does_not_collude"]
    assert contract(house, "tax", assumptions=assumptions).grading is not None


@pytest.mark.parametrize(
    ("lang", "interval", "own"),
    [
        ("en", "has an interval that holds tax's part", "the cuts are bank's own"),
        ("zh", "所在的区间", "切点由 bank 自定"),
    ],
)
def test_signers_are_told_what_a_grade_shows(house: Any, lang: str, interval: str, own: str) -> None:
    public = render_explanation(explain(contract(house, "tax"), lang))
    private = render_explanation(explain(contract(house, "tax", grading={"names": ["A", "B"]}), lang))
    assert interval in public and interval in private
    assert own in private and own not in public


def test_points_may_be_released_without_log_odds(house: Any) -> None:
    agreed = house.contract(outputs=outputs(points=("bank",)), task={"kind": "scorecard"})
    learnt = allowed_disclosures(agreed)
    assert ("points", "bank") in learnt and "score" not in {kind for kind, _ in learnt}
