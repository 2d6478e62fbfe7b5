"""Sentences about what figures can bear: nothing good without a test, nothing kept back, in two languages."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
import pytest

from saferoom.models.uncertainty.summary import uncertainty_of, uncertainty_of_grades
from saferoom.report.remark_texts import REMARKS
from saferoom.report.remarks import remarks
from saferoom.scoring.grade_table import GradeRow
from saferoom.scoring.grade_tests import judge
from saferoom.scoring.standard import standard_scheme


def graded(*counts: tuple[int, int], pd: tuple[float, ...] = ()) -> dict[str, Any]:
    """Metrics of grades A, B, … with (rows, events)."""
    total = sum(rows for rows, _ in counts)
    means = pd or (None,) * len(counts)
    table = [
        GradeRow(name, rows, rows / total, mean, events, events / rows if rows else None)
        for name, (rows, events), mean in zip("ABCD", counts, means, strict=True)
    ]
    return {"grading": {"rows_of": "test", **judge(standard_scheme(), table).to_plain(table)}}


def measured(rows: int, gain: float, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.2).astype(int)
    y[:2] = 0, 1
    own = rng.normal(size=rows) + 0.5 * y
    joint = own + gain * y
    pds = [0.5 + np.arctan(one) / 4 for one in (joint, own)]
    return {"uncertainty": {"level": 0.95, "train": None, "test": uncertainty_of(y, *pds, fitted=False)}}


def found(metrics: dict[str, Any], lang: str = "en") -> dict[str, tuple[str, str]]:
    return {one.key: (one.tone, one.text) for one in remarks(metrics, lang)}


def test_a_broken_promise_is_said_with_rate_rows_interval_and_p() -> None:
    tone, text = found(graded((1483, 100), (800, 45), (500, 70), (200, 60)))["above"]
    assert tone == "bad"
    assert text.startswith("Grade A promises a default rate of at most 3.0 % and shows 6.74 % on 1,483 rows")
    assert "95 %: 5.58 % to 8.13 %; p < 0.001" in text


def test_three_point_six_where_three_were_promised_is_said() -> None:
    """53 of 1,483 is outside the promise, and, where 0.9 % were predicted, far from chance."""
    rates = found(graded((1483, 53), (800, 45), (500, 70), (200, 60), pd=(0.009, 0.05, 0.13, 0.3)))
    assert rates["outside"][0] == "grey"
    assert "shows 3.57 % on 1,483 rows" in rates["outside"][1]
    assert rates["surprise"][0] == "bad"
    assert "predicts 0.90 % on average" in rates["surprise"][1]


def test_an_empty_grade_gets_no_tick() -> None:
    said = found(graded((0, 0), (20, 1), (100, 12), (880, 400)))
    assert "rises" not in said
    assert said["empty"][0] == "grey"
    assert said["unsuited_crowded"] == (
        "bad",
        "88 % of the enterprises have grade D: the scheme does not suit this portfolio.",
    )
    assert "next contract" in said["other_cuts"][1]


def test_a_fall_is_wrong_only_beyond_chance() -> None:
    said = found(graded((200, 1), (100, 0), (500, 70), (200, 60)))
    assert said["falls_open"][0] == "grey"
    assert "that may be chance" in said["falls_open"][1]
    assert found(graded((200, 40), (200, 10), (500, 70), (200, 60)))["falls"][0] == "bad"


def test_the_command_stands_apart_from_the_sentence() -> None:
    plain = graded((0, 0), (20, 1), (100, 12), (880, 400), pd=(None, 0.05, 0.13, 0.4))  # type: ignore[arg-type]
    plain["grading"]["suits"]["targets"] = [0.05, 0.1]
    one = next(one for one in remarks(plain) if one.key == "calibrate")
    assert one.command == "saferoom grade calibrate scores.csv --target 0.05 --target 0.1 --out grades.yaml"
    assert one.words == "Cut it anew:"
    plain["grading"]["suits"]["targets"] = []
    assert found(plain)["no_targets"][0] == "grey"


def test_good_grades_are_good_by_tests() -> None:
    said = found(graded((2000, 20), (1500, 75), (1000, 130), (500, 160)))
    assert said["kept"] == (
        "good",
        "Grades that keep their promise: A, B, C, D (exact binomial tests, one-sided, 5 %).",
    )
    assert said["rises"][0] == "good"
    assert set(said) == {"kept", "rises"}


def test_few_defaults_are_grey_and_nothing_else() -> None:
    said = remarks(graded((20, 0), (15, 1), (10, 1), (8, 2)))
    assert {one.tone for one in said} == {"grey"}
    thin = measured(30, 4.0)
    assert {one.tone for one in remarks(thin)} == {"grey"}
    assert "few" in found(thin)


@pytest.mark.parametrize(
    ("gain", "key", "tone"), [(1.0, "gain", "good"), (0.0, "gain_open", "grey"), (-1.0, "loss", "bad")]
)
def test_a_gain_is_good_only_beyond_chance(gain: float, key: str, tone: str) -> None:
    said = found(measured(2000, gain))
    assert said[key][0] == tone
    assert "DeLong" in said[key][1]


def test_a_gain_without_scores_says_how_it_was_found() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(3000) < 0.2).astype(int)
    own = 0.5 + np.arctan(rng.normal(size=3000) + 0.5 * y) / 4
    block = uncertainty_of_grades(y, np.digitize(rng.normal(size=3000) + y, [0, 1, 2]), 0.85, own)
    tone, text = found({"uncertainty": {"level": 0.95, "train": None, "test": block}})["gain"]
    assert tone == "good"
    assert "taken for independent" in text


def test_metrics_of_an_earlier_version_have_no_remarks() -> None:
    assert remarks({"train": {"auc": 0.7}, "test": None}) == []


def test_one_class_is_said() -> None:
    assert set(found({"uncertainty": {"level": 0.95, "train": None, "test": None}})) == {"one_class"}


def test_both_languages_are_complete_and_take_the_same_blanks() -> None:
    for key, pair in REMARKS.items():
        blanks = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in pair]
        assert all(pair), key
        assert blanks[0] == blanks[1], key
    zh = remarks(graded((1483, 100), (800, 45), (500, 70), (200, 60)) | measured(2000, 1.0), "zh")
    assert "等级 A 承诺违约率不超过 3.0 %" in "".join(one.text for one in zh)
