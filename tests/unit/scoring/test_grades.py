"""Grade schemes: loading and refusing, cutting, target shares."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from saferoom.errors import ConfigError, UsageError
from saferoom.scoring.grades import LANGUAGES, scheme_from_dict
from saferoom.scoring.points import PointScale, logit_from_pd
from saferoom.scoring.standard import STANDARD, standard_scheme

CONFIGS = Path(__file__).resolve().parents[3] / "configs" / "grades"
FILES = sorted(CONFIGS.glob("*.yaml"))


def load(name: str) -> dict[str, Any]:
    content = yaml.safe_load((CONFIGS / name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_scheme_in_configs_loads_and_speaks_both_languages(path: Path) -> None:
    scheme = scheme_from_dict(load(path.name))
    assert scheme.names == ("A", "B", "C", "D")
    for grade in scheme.grades:
        assert all(grade.title[language] and grade.supervision[language] for language in LANGUAGES)
    assert "免申即享" in "".join(scheme.grades[0].supervision["zh"])


def test_the_standard_scheme_is_the_one_in_configs() -> None:
    assert load("standard.yaml") == STANDARD
    assert standard_scheme().cuts == (0.03, 0.08, 0.2)


def test_pd_cuts_and_a_score_on_a_cut_gets_the_better_grade() -> None:
    pd = [0.0, 0.03, 0.030001, 0.08, 0.1, 0.2, 0.21, 1.0]
    assert standard_scheme().assign(pd).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_points_cuts() -> None:
    scheme = scheme_from_dict(load("by_points.yaml"))
    assert scheme.assign([0.5] * 6, [900, 640, 639, 560, 480, 479]).tolist() == [0, 0, 1, 1, 2, 3]
    with pytest.raises(UsageError, match="points"):
        scheme.assign([0.1])


def test_points_and_pd_cuts_that_mean_the_same_grade_alike() -> None:
    scale = PointScale()
    cuts = [0.03, 0.08, 0.2]
    points = scale.points(logit_from_pd(cuts)).astype(float)
    by_points = copy.deepcopy(load("by_points.yaml"))
    for entry, cut in zip(by_points["grades"], points, strict=False):
        entry["from"] = float(cut)
    pd = np.random.default_rng(0).beta(1, 10, 5000)
    far = np.min(np.abs(scale.points(logit_from_pd(pd))[:, None] - points), axis=1) > 1
    one = standard_scheme().assign(pd)
    two = scheme_from_dict(by_points).assign(pd, scale.points(logit_from_pd(pd)))
    assert np.array_equal(one[far], two[far])


def test_target_shares_become_pd_cuts_on_training_scores() -> None:
    scheme = scheme_from_dict(load("by_shares.yaml"))
    pd = np.random.default_rng(0).beta(1, 10, 10_000)
    with pytest.raises(UsageError, match="resolve"):
        scheme.assign(pd)
    resolved = scheme.resolve(pd)
    assert resolved.by == "pd"
    shares = np.bincount(resolved.assign(pd), minlength=4) / len(pd)
    assert shares == pytest.approx([0.3, 0.4, 0.2, 0.1], abs=1e-3)
    assert resolved.resolve(pd[:10]) == resolved
    with pytest.raises(UsageError, match="none"):
        scheme.resolve([])


def test_a_missing_score_has_no_grade() -> None:
    with pytest.raises(UsageError, match="missing"):
        standard_scheme().assign([0.1, np.nan])


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    content = copy.deepcopy(STANDARD)
    place: Any = content
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["by"], "luck", "one of pd"),
        (["cuts"], [1], "unknown keys in the grade scheme: cuts"),
        (["scheme"], None, "'scheme'"),
        (["title"], {"fr": "x"}, "'title'"),
        (["grades"], [], "2 to 26"),
        (["grades"], "ABCD", "a mapping"),
        (["grades", 0, "name"], " ", "'name'"),
        (["grades", 1, "name"], "A", "same name"),
        (["grades", 0, "up_to"], None, "grade A needs 'up_to'"),
        (["grades", 3, "up_to"], 0.9, "grade D is the last"),
        (["grades", 0, "up_to"], "low", "grade A: 'up_to'"),
        (["grades", 0, "up_to"], float("nan"), "grade A: 'up_to'"),
        (["grades", 0, "up_to"], 0.08, "must rise"),
        (["grades", 2, "up_to"], 1.5, "between 0 and 1"),
        (["grades", 0, "from"], 600, "unknown keys in grade A: from"),
        (["grades", 0, "supervision"], {"en": "one text"}, "'supervision'"),
    ],
)
def test_wrong_schemes_name_the_grade_and_the_key(path: list[Any], value: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scheme_from_dict(changed(path, value))
    assert words in str(caught.value)


def test_wrong_shares_and_falling_points() -> None:
    shares = load("by_shares.yaml")
    shares["grades"][0]["share"] = 0.5
    with pytest.raises(ConfigError, match="sum to 1"):
        scheme_from_dict(shares)
    points = load("by_points.yaml")
    points["grades"][0]["from"] = 100
    with pytest.raises(ConfigError, match="must fall"):
        scheme_from_dict(points)
