"""Grades A–D: a scheme cuts the scores, and says which supervision follows from each grade.

    by: pd       each grade but the last has `up_to`, the largest probability of default it takes, rising
    by: points   each grade but the last has `from`, the fewest points it takes, falling
    by: shares   each grade has `share`, its share of the training rows; `resolve` turns them into pd cuts

Grades are listed best first. Titles and supervision are written in Chinese and English.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saferoom.errors import ConfigError, UsageError

LANGUAGES = ("zh", "en")
MAX_GRADES = 26
_CUT_KEY = {"pd": "up_to", "points": "from", "shares": "share"}
_SHARES_SUM_TOLERANCE = 1e-6

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade. `cut` is what the scheme's `by` says; None at the last grade of pd and points schemes."""

    name: str
    cut: float | None
    title: Words
    supervision: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class GradeScheme:
    """Grades from best to worst. Build it with `scheme_from_dict`, which checks everything."""

    name: str
    by: str
    title: Words
    grades: tuple[Grade, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(grade.name for grade in self.grades)

    @property
    def cuts(self) -> tuple[float, ...]:
        return tuple(grade.cut for grade in self.grades if grade.cut is not None)

    def resolve(self, training_pd: ArrayLike) -> GradeScheme:
        """A scheme of target shares with its cuts set on the training rows; others stay as they are."""
        if self.by != "shares":
            return self
        scores = np.asarray(training_pd, dtype=np.float64)
        if not len(scores):
            raise UsageError("target shares are resolved on training scores, and there are none")
        upper = np.quantile(scores, np.minimum(np.cumsum(self.cuts)[:-1], 1.0))
        cuts: list[float | None] = [*upper.tolist(), None]
        grades = tuple(replace(grade, cut=cut) for grade, cut in zip(self.grades, cuts, strict=True))
        return replace(self, by="pd", grades=grades)

    def assign(self, pd: ArrayLike, points: ArrayLike | None = None) -> NDArray[np.int64]:
        """The grade of every row, as a place in `names`: (n,) -> (n,), 0 = best.

        A score exactly on a cut gets the better grade. Raises UsageError if shares are not resolved, if
        a points scheme gets no points, or if a score is missing.
        """
        if self.by == "shares":
            raise UsageError("this scheme has target shares: resolve it on training scores first")
        if self.by == "points" and points is None:
            raise UsageError("this scheme cuts points: give them")
        scores = np.asarray(pd if self.by == "pd" else points, dtype=np.float64)
        if np.any(np.isnan(scores)):
            raise UsageError("a score is missing")
        if self.by == "points":
            return np.searchsorted(-np.asarray(self.cuts), -scores, side="left").astype(np.int64)
        return np.searchsorted(np.asarray(self.cuts), scores, side="left").astype(np.int64)


def scheme_from_dict(settings: Mapping[str, Any]) -> GradeScheme:
    """A scheme from a YAML document's content. Raises ConfigError, naming the grade and the key."""
    _only_keys(settings, {"scheme", "by", "title", "grades"}, "the grade scheme")
    by = settings.get("by")
    if by not in _CUT_KEY:
        raise ConfigError(f"the grade scheme's 'by' must be one of {', '.join(_CUT_KEY)}")
    entries = settings.get("grades")
    if not isinstance(entries, Sequence) or not 2 <= len(entries) <= MAX_GRADES:
        raise ConfigError(f"a grade scheme lists 2 to {MAX_GRADES} grades")
    last = len(entries) - 1
    grades = tuple(
        _grade(entry, _CUT_KEY[by], needs_cut=by == "shares" or at < last) for at, entry in enumerate(entries)
    )
    if len({grade.name for grade in grades}) < len(grades):
        raise ConfigError("two grades have the same name")
    scheme = GradeScheme(_text(settings, "scheme", "the grade scheme"), by, _words(settings, "title"), grades)
    _check_cuts(scheme)
    return scheme


def _grade(entry: Any, cut_key: str, *, needs_cut: bool) -> Grade:
    if not isinstance(entry, Mapping):
        raise ConfigError("a grade is a mapping with a name, a cut, a title and its supervision")
    name = _text(entry, "name", "a grade")
    _only_keys(entry, {"name", cut_key, "title", "supervision"}, f"grade {name}")
    cut = entry.get(cut_key)
    if needs_cut != (cut is not None):
        raise ConfigError(f"grade {name} {'needs' if needs_cut else 'is the last and takes no'} '{cut_key}'")
    if cut is not None and (
        isinstance(cut, bool) or not isinstance(cut, int | float) or not math.isfinite(cut)
    ):
        raise ConfigError(f"grade {name}: '{cut_key}' is not a number")
    return Grade(
        name, None if cut is None else float(cut), _words(entry, "title"), _lists(entry, "supervision")
    )


def _check_cuts(scheme: GradeScheme) -> None:
    cuts = scheme.cuts
    if scheme.by == "shares":
        if min(cuts) <= 0 or abs(sum(cuts) - 1) > _SHARES_SUM_TOLERANCE:
            raise ConfigError(f"the shares must be above 0 and sum to 1, not {sum(cuts):g}")
        return
    falls = scheme.by == "points"
    if any((a <= b) if falls else (a >= b) for a, b in pairwise(cuts)):
        raise ConfigError(f"cuts must {'fall' if falls else 'rise'} from the best grade to the worst")
    if not falls and not 0 < cuts[0] <= cuts[-1] < 1:
        raise ConfigError("cuts on pd lie between 0 and 1")


def _only_keys(settings: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := set(settings) - known:
        raise ConfigError(f"unknown keys in {where}: {', '.join(sorted(map(str, unknown)))}")


def _text(settings: Mapping[str, Any], key: str, where: str) -> str:
    text = settings.get(key)
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"{where} needs a text for '{key}'")
    return text


def _words(settings: Mapping[str, Any], key: str) -> Words:
    words = settings.get(key, {})
    if not isinstance(words, Mapping) or not all(
        k in LANGUAGES and isinstance(v, str) for k, v in words.items()
    ):
        raise ConfigError(f"'{key}' holds a text for each of {', '.join(LANGUAGES)}")
    return dict(words)


def _lists(settings: Mapping[str, Any], key: str) -> Mapping[str, tuple[str, ...]]:
    lists = settings.get(key, {})
    if not isinstance(lists, Mapping) or not all(
        k in LANGUAGES and isinstance(v, list) and all(isinstance(one, str) for one in v)
        for k, v in lists.items()
    ):
        raise ConfigError(f"'{key}' holds a list of texts for each of {', '.join(LANGUAGES)}")
    return {language: tuple(texts) for language, texts in lists.items()}
