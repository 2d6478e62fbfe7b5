"""Promises of grades: exact tests against scipy's, Wilson's interval, and what may be called well."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from saferoom.scoring.grade_table import GradeRow
from saferoom.scoring.grade_tests import judge, judge_grades, judge_rise, promises, suits, wilson
from saferoom.scoring.grades import scheme_from_dict
from saferoom.scoring.points import PointScale, pd_from_logit
from saferoom.scoring.standard import standard_scheme

PROMISED = [(0.0, 0.03), (0.03, 0.08), (0.08, 0.2), (0.2, 1.0)]


def table(*counts: tuple[int, int]) -> list[GradeRow]:
    """Of (rows, events), from A on."""
    total = sum(rows for rows, _ in counts)
    return [
        GradeRow(name, rows, rows / total, None, events, events / rows if rows else None)
        for name, (rows, events) in zip("ABCD", counts, strict=False)
    ]


@pytest.mark.parametrize(("events", "rows"), [(0, 20), (5, 5), (3, 40), (53, 1483), (900, 1000)])
def test_wilson_is_scipys(events: int, rows: int) -> None:
    expected = binomtest(events, rows).proportion_ci(method="wilson")
    assert wilson(events, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_rate_without_rows_may_be_anything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_grade_that_shows_more_than_it_promises_is_told() -> None:
    """A promises at most 3 %; 100 of 1,483 default."""
    found = judge_grades(table((1483, 100)), PROMISED[:1])[0]
    assert found.verdict == "above"
    assert found.p_value == pytest.approx(binomtest(100, 1483, 0.03, alternative="greater").pvalue)
    assert found.low == pytest.approx(0.0558, abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "events", "verdict"),
    [
        (1483, 20, "kept"),
        (1483, 53, "outside"),  # 3.6 %: above the promise, which may be chance
        (1483, 40, "open"),
        (1483, 60, "above"),
        (30, 0, "few"),  # no default among thirty: nothing is shown
        (300, 0, "kept"),  # none among three hundred shows it
        (300, 6, "few"),
        (0, 0, "empty"),
    ],
)
def test_verdicts_of_grade_a(rows: int, events: int, verdict: str) -> None:
    assert judge_grades(table((rows, events), (100, 50)), [(0.0, 0.03), (0.03, 1.0)])[0].verdict == verdict


def test_a_grade_may_keep_its_range_with_more_defaults_than_its_probabilities_explain() -> None:
    """53 of 1,483 where 0.9 % were predicted: eleven times as far off as chance goes."""
    row = GradeRow("A", 1483, 0.7, 0.009, 53, 53 / 1483)
    found = judge_grades([row], [(0.0, 0.05)])[0]
    assert found.verdict == "kept"
    assert found.surprise is not None
    assert found.surprise < 1e-12
    right = judge_grades([GradeRow("A", 1483, 0.7, 0.035, 53, 53 / 1483)], None)[0]
    one_sided = [binomtest(53, 1483, 0.035, alternative=side).pvalue for side in ("greater", "less")]
    assert right.surprise == pytest.approx(min(1.0, 2 * min(one_sided)))


def test_all_judgements_of_a_grading_as_plain_values() -> None:
    rows = table((0, 0), (20, 2), (100, 23), (880, 400))
    plain = judge(standard_scheme(), rows).to_plain(rows)
    assert [one["verdict"] for one in plain["grades"]] == ["empty", "few", "outside", "kept"]
    assert plain["grades"][3]["promised"] == (0.2, 1.0)
    assert plain["suits"] == {"ok": False, "empty": ("A",), "crowded": "D", "share": 0.88, "targets": ()}
    assert plain["rising"]["verdict"] == "empty"


def test_a_grade_that_is_better_than_it_says_is_told_too() -> None:
    found = judge_grades(table((1000, 10), (1000, 50), (1000, 120), (1000, 100)), PROMISED)
    assert [one.verdict for one in found] == ["kept", "kept", "kept", "below"]
    assert found[3].p_value == pytest.approx(binomtest(100, 1000, 0.2, alternative="less").pvalue)


def test_a_promise_is_called_broken_in_less_than_one_of_twenty_when_it_holds() -> None:
    rng = np.random.default_rng(0)
    verdicts = [
        judge_grades(table((1000, int(rng.binomial(1000, 0.03)))), [(0.0, 0.03)])[0].verdict
        for _ in range(2000)
    ]
    assert verdicts.count("above") / 2000 < 0.05
    assert verdicts.count("kept") / 2000 < 0.06  # at the very edge nothing is shown


def test_rates_rise_only_where_each_step_is_beyond_chance() -> None:
    shown = judge_rise(table((1000, 10), (1000, 50), (1000, 120), (1000, 300)))
    assert shown.verdict == "rises"
    for step, (low, high) in zip(shown.steps, [(10, 50), (50, 120), (120, 300)], strict=True):
        exact = fisher_exact([[high, 1000 - high], [low, 1000 - low]], alternative="greater")
        assert step.p_value == pytest.approx(exact.pvalue, rel=1e-6)
        less = fisher_exact([[high, 1000 - high], [low, 1000 - low]], alternative="less")
        assert step.fall == pytest.approx(less.pvalue, rel=1e-6)
    assert judge_rise(table((100, 2), (100, 3))).verdict == "open"
    assert judge_rise(table((100, 9), (100, 3))).verdict == "falls"


def test_an_empty_grade_is_never_well() -> None:
    """An empty grade A, with rates that rise from B on."""
    assert judge_rise(table((0, 0), (1000, 50), (1000, 120), (1000, 300))).verdict == "empty"
    assert judge_rise(table((1000, 50), (0, 0))).verdict == "empty"


def test_a_scheme_for_another_portfolio_is_told() -> None:
    found = suits(table((0, 0), (20, 2), (100, 20), (880, 400)))
    assert not found.ok
    assert (found.empty, found.crowded, found.share) == (("A",), "D", 0.88)
    assert suits(table((300, 3), (300, 15), (300, 40), (100, 40))).ok


def test_cuts_are_promises() -> None:
    assert promises(standard_scheme()) == PROMISED
    scale = PointScale()
    by_points = scheme_from_dict(
        {"scheme": "s", "by": "points", "grades": [{"name": "A", "from": 600}, {"name": "B"}]}
    )
    (low, cut), (again, high) = promises(by_points, scale)
    assert (low, high) == (0.0, 1.0)
    assert cut == again == pytest.approx(float(pd_from_logit(scale.logit(599.5))))
    shares = scheme_from_dict(
        {"scheme": "s", "by": "shares", "grades": [{"name": "A", "share": 0.4}, {"name": "B", "share": 0.6}]}
    )
    assert promises(shares) is None
