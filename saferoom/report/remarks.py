"""What the figures of a training job can bear, in sentences: for the report, the card and the terminal.

Made of the parts `uncertainty` and `grading` of metrics.json, as plain values. A remark is good only where a
test is behind it; where the rows cannot tell, it is grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from saferoom.report.remark_texts import REMARKS
from saferoom.report.texts import LANGUAGES

Plain = Mapping[str, Any]
Tone = Literal["good", "bad", "grey"]

ALPHA, FEW, SCARCE = 0.05, 10, 50
_PROGRAM = "saferoom grade calibrate scores.csv"
MARKS: Mapping[Tone, str] = {"good": "✓", "bad": "✗", "grey": "·"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence. `key`: which, whatever the language."""

    tone: Tone
    key: str
    text: str

    @property
    def command(self) -> str:
        """What to run, if the sentence ends in it."""
        return self.text[start:] if (start := self.text.find(_PROGRAM)) >= 0 else ""

    @property
    def words(self) -> str:
        """The sentence without the command."""
        return self.text.removesuffix(self.command).rstrip()

    @property
    def line(self) -> str:
        """With a mark in front, for a terminal."""
        return f"{MARKS[self.tone]} {self.text}"


def remarks(metrics: Plain, lang: str = "en") -> list[Remark]:
    """Of the content of metrics.json; empty for that of an earlier version."""
    say = _Words(LANGUAGES.index(lang))
    found: list[Remark] = []
    if "uncertainty" in metrics:
        found += _of_figures(say, metrics["uncertainty"])
    if "grading" in metrics:
        found += _of_grades(say, metrics["grading"])
    return found


def percent(share: float, digits: int = 1) -> str:
    """With as many digits as it takes to tell a small share from none."""
    return f"{100 * share:.{digits}f} %"


def p_text(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


@dataclass(frozen=True, slots=True)
class _Words:
    place: int

    def __call__(self, tone: Tone, key: str, **blanks: Any) -> Remark:
        return Remark(tone, key, self.words(key, **blanks))

    def words(self, key: str, **blanks: Any) -> str:
        return REMARKS[key][self.place].format(**blanks)


def _of_figures(say: _Words, uncertainty: Plain) -> Iterator[Remark]:
    """Of the held-out rows, or of the training rows where none are held out."""
    rows_of = "test" if uncertainty.get("test") else "train"
    known, rows = uncertainty.get(rows_of), say.words(f"rows_{rows_of}")
    if not known:
        yield say("grey", "one_class", rows=rows)
        return
    smaller = min(known["events"], known["rows"] - known["events"])
    if smaller < SCARCE:
        yield say("grey", "few" if smaller < FEW else "scarce", rows=rows, count=smaller)
    if known["gain"]:
        gain = known["gain"]["auc"]
        yield say(*_gained(gain), rows=rows, **_gain_blanks(say, gain))
    fit = known.get("fit")
    if fit:
        key = "misfit" if fit["p_value"] < ALPHA else "fit_open"
        tone: Tone = "bad" if key == "misfit" and smaller >= FEW else "grey"
        blanks = {"statistic": f"{fit['statistic']:.1f}", "degrees": fit["degrees"]}
        yield say(tone, key, **blanks, p=p_text(fit["p_value"]))


def _gained(gain: Plain) -> tuple[Tone, str]:
    if gain["p_value"] >= ALPHA:
        return "grey", "gain_open"
    return ("good", "gain") if gain["value"] > 0 else ("bad", "loss")


def _gain_blanks(say: _Words, gain: Plain) -> dict[str, Any]:
    figures = {name: f"{gain[name]:+.3f}".replace("-", "−") for name in ("value", "low", "high")}
    return {**figures, "test": say.words(gain["method"]), "p": p_text(gain["p_value"])}


def _of_grades(say: _Words, grading: Plain) -> Iterator[Remark]:
    grades: Sequence[Plain] = grading["grades"]
    for one in grades:
        if one["verdict"] in {"above", "below", "outside"}:
            tone: Tone = "grey" if one["verdict"] == "outside" else "bad"
            yield say(tone, one["verdict"], **_grade_blanks(say, one), p=p_text(one["p_value"]))
        if one["surprise"] is not None and one["surprise"] < ALPHA:
            predicted = percent(one["mean_pd"], 2)
            blanks = {"grade": one["name"], "count": f"{one['rows']:,}", "predicted": predicted}
            rate = percent(one["default_rate"], 2)
            yield say("bad", "surprise", **blanks, rate=rate, p=p_text(one["surprise"]))
    for verdict, tone, key in _TOGETHER:
        names = [one["name"] for one in grades if one["verdict"] == verdict and one["promised"] is not None]
        if names:
            yield say(tone, key, grades=_listed(say, names))
    yield from _of_rise(say, grading)
    yield from _of_scheme(say, grading)


_TOGETHER: tuple[tuple[str, Tone, str], ...] = (
    ("kept", "good", "kept"),
    ("open", "grey", "open"),
    ("few", "grey", "thin"),
)


def _grade_blanks(say: _Words, one: Plain) -> dict[str, str]:
    return {
        "grade": one["name"],
        "range": _range(say, *one["promised"]),
        "rate": percent(one["default_rate"], 2),
        "count": f"{one['rows']:,}",
        "low": percent(one["low"], 2),
        "high": percent(one["high"], 2),
    }


def _range(say: _Words, low: float, high: float) -> str:
    words = {"low": percent(low), "high": percent(high)}
    if low <= 0:
        return say.words("at_most", **words)
    return say.words("more_than" if high >= 1 else "between", **words)


def _of_rise(say: _Words, grading: Plain) -> Iterator[Remark]:
    rising = grading["rising"]
    for step in rising["steps"]:
        blanks = {"better": step["better"], "worse": step["worse"]}
        if step["difference"] < 0:
            difference = percent(-step["difference"], 2)
            fall: tuple[Tone, str] = ("bad", "falls") if step["fall"] < ALPHA else ("grey", "falls_open")
            yield say(*fall, **blanks, difference=difference, p=p_text(step["fall"]))
        elif step["p_value"] >= ALPHA:
            yield say("grey", "rises_open", **blanks, p=p_text(step["p_value"]))
    if rising["verdict"] == "rises":
        yield say("good", "rises")
    elif rising["verdict"] == "empty":
        yield say("grey", "empty", grades=_listed(say, grading["suits"]["empty"]))


def _of_scheme(say: _Words, grading: Plain) -> Iterator[Remark]:
    suits = grading["suits"]
    if suits["ok"]:
        return
    if suits["crowded"]:
        share = percent(suits["share"], 0)
        yield say("bad", "unsuited_crowded", share=share, grade=suits["crowded"])
    else:
        yield say("bad", "unsuited_empty", grades=_listed(say, suits["empty"]))
    if suits["targets"]:
        targets = " ".join(f"--target {target:g}" for target in suits["targets"])
        yield say("grey", "calibrate", targets=targets)
    elif all(one["mean_pd"] is None for one in grading["grades"]):
        yield say("grey", "other_cuts")
    else:
        yield say("grey", "no_targets")


def _listed(say: _Words, names: Sequence[str]) -> str:
    return ("、" if say.place == LANGUAGES.index("zh") else ", ").join(names)
