"""The explanation says what is enforced, all of it, in both languages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from saferoom.contracts import wording
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.contracts.explain import explain, render_explanation
from saferoom.contracts.wording import HEADINGS
from saferoom.errors import UsageError
from saferoom.kinds import boosting, regression, scorecard
from saferoom.kinds.trust import ASSUMPTIONS


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
@pytest.mark.parametrize("uses", [["train"], ["score_one"], ["train", "score_batch", "grade"]])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_explained_is_what_is_enforced(house: Any, lang: str, uses: list[str], kind: str) -> None:
    contract = house.contract(uses=uses, task={"kind": kind})
    explanation = explain(contract, lang)
    assert {(row.kind, row.who) for row in explanation.rows} == allowed_disclosures(contract)
    for row in explanation.rows:
        assert {job for job in row.jobs if (row.kind, row.who) in allowed_disclosures(contract, job)} == set(
            row.jobs
        )
        assert row.jobs


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_text_holds_every_row_assumption_and_warning(house: Any, lang: str) -> None:
    contract = house.contract("tax")
    explanation = explain(contract, lang)
    text = render_explanation(explanation)
    for row in explanation.rows:
        assert row.meaning in text
    for name in contract.assumptions:
        assert name in text
    assert str(contract.retention_days) in text
    for warning in explanation.warnings:
        assert warning in text
    assert all(column in text for its in contract.parties.values() for column in its.columns)


def test_the_language_can_be_chosen_late(house: Any) -> None:
    contract = house.contract()
    assert render_explanation(explain(contract), lang="zh") == render_explanation(explain(contract, "zh"))
    assert "将得知" in render_explanation(explain(contract), lang="zh")
    with pytest.raises(UsageError):
        explain(contract, "fr")
    with pytest.raises(UsageError):
        render_explanation(explain(contract), lang="fr")


def test_two_parties_are_warned(house: Any) -> None:
    assert any("has tax's part" in warning for warning in explain(house.contract("tax")).warnings)
    assert not any("part of it" in warning for warning in explain(house.contract()).warnings)


def test_a_single_exposed_column_is_warned_of(house: Any) -> None:
    draft = house.draft()
    del draft["parties"]["utility"]["columns"]["utility_b"]
    warnings = explain(house.contract_of(draft)).warnings
    assert [w for w in warnings if "single feature column" in w] == [
        "utility brings a single feature column: its part of a score, where known, shows the column's order"
    ]


def test_consent_version_and_single_queries_are_warned_of(house: Any) -> None:
    draft = house.draft(uses=["train"])
    for its in draft["parties"].values():
        its |= {"consent_required": True, "version": "sha256:" + "a" * 64}
    assert explain(house.contract_of(draft)).warnings == ()
    draft["parties"]["tax"] |= {"consent_required": False, "version": None}
    draft["uses"] = ["train", "score_one"]
    assert len(explain(house.contract_of(draft)).warnings) == 3


def test_rows_are_plain_values(house: Any) -> None:
    rows = [row.to_plain() for row in explain(house.contract(), "zh").rows]
    assert json.loads(json.dumps(rows)) == rows


def test_every_word_exists_in_both_languages() -> None:
    warnings = [
        texts
        for module in (wording, boosting, regression, scorecard)
        for name, texts in vars(module).items()
        if name.isupper() and isinstance(texts, tuple)
    ]
    assert len(warnings) >= 15
    for english, chinese in (*HEADINGS.values(), *warnings, *ASSUMPTIONS.values()):
        assert english.isascii()
        assert not chinese.isascii()


def test_a_scorecard_is_explained_with_its_counts(house: Any) -> None:
    explanation = explain(house.contract(task={"kind": "scorecard"}, minimum_bin_rows=77))
    assert {row.kind for row in explanation.rows} >= {"points", "bin_events", "anonymous_events"}
    assert any("at least 77 rows and 10 defaults" in warning for warning in explanation.warnings)
