"""By what the label holder grades where grades alone are released: the contract's cuts, or its own."""

from __future__ import annotations

from typing import Any

import pytest

from saferoom.errors import ConfigError
from saferoom.kinds.grading import GradeRule, usual_grading
from saferoom.scoring.grades import GradeScheme, scheme_from_dict
from saferoom.scoring.standard import standard_scheme
from saferoom.tasks.steps.grades import agreed_scheme

OWN_CUTS = GradeRule(names=("A", "B", "C", "D"))


def scheme(by: str, key: str, *cuts: float) -> GradeScheme:
    names = "ABCD"[: len(cuts) + (by != "shares")]
    grades: list[dict[str, Any]] = [{"name": name, "title": {"en": f"grade {name}"}} for name in names]
    for grade, cut in zip(grades, cuts, strict=False):
        grade[key] = cut
    return scheme_from_dict({"scheme": "own", "by": by, "grades": grades})


def test_the_standard_scheme_is_the_usual_one() -> None:
    rule = GradeRule.model_validate(usual_grading())
    assert agreed_scheme(rule, standard_scheme()) == standard_scheme()


def test_public_cuts_take_the_place_of_own_ones_and_keep_their_words() -> None:
    rule = GradeRule(names=("A", "B", "poor"), by="points", cuts=(600, 500))
    found = agreed_scheme(rule, scheme("pd", "up_to", 0.1, 0.2, 0.3))
    assert (found.by, found.names, found.cuts) == ("points", ("A", "B", "poor"), (600.0, 500.0))
    assert [grade.title.get("en", "") for grade in found.grades] == ["grade A", "grade B", ""]
    assert found.name == "contract"


def test_own_cuts_are_the_label_holders() -> None:
    own = scheme("pd", "up_to", 0.1, 0.2, 0.3)
    assert agreed_scheme(OWN_CUTS, own) == own


def test_own_grades_must_be_those_that_the_others_expect() -> None:
    with pytest.raises(ConfigError, match="by name and order") as raised:
        agreed_scheme(OWN_CUTS, scheme("pd", "up_to", 0.1))
    assert "name them A, B, C, D" in raised.value.remedy


def test_target_shares_need_scores_and_are_refused() -> None:
    with pytest.raises(ConfigError, match="nobody learns them") as raised:
        agreed_scheme(OWN_CUTS, scheme("shares", "share", 0.25, 0.25, 0.25, 0.25))
    assert "by pd or by points" in raised.value.remedy
