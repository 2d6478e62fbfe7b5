"""What stands beside the page's figures: intervals, tests and verdicts, from the content of metrics.json.

Made of its blocks `uncertainty` and `grading`, as plain values; empty for those of an earlier version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from saferoom.report.remarks import ALPHA, Remark, Tone

Plain = Mapping[str, Any]

NAMES = ("auc", "ks", "grade_ks")
_GAINS = ("gain", "gain_open", "loss")
_TONES: Mapping[str, Tone] = {"kept": "good", "above": "bad", "below": "bad"}


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One figure: estimates of the joint model and of the label holder alone, and their difference."""

    name: str
    joint: Plain | None
    alone: Plain | None
    gain: Plain | None


@dataclass(frozen=True, slots=True)
class Bearing:
    """What the figures on the judged rows bear.

    `rows_of`: test, or train where the test rows are of one class. `few`: fewer than 10 rows in the smaller
    class. `fit`: the test of Hosmer and Lemeshow. `methods`: how intervals were found. `gain_tone`: good, bad
    or grey.
    """

    rows_of: str
    rows: int
    events: int
    few: bool
    intervals: tuple[IntervalRow, ...]
    fit: Plain | None
    methods: tuple[str, ...]
    gain_tone: Tone

    def of(self, name: str) -> IntervalRow | None:
        """The row of one figure."""
        return next((row for row in self.intervals if row.name == name), None)


def bearing_of(metrics: Plain, said: Iterable[Remark]) -> Bearing | None:
    """`said`: the remarks on the same metrics, which judge the gain. None where nothing could be measured."""
    blocks = metrics.get("uncertainty") or {}
    rows_of = "test" if blocks.get("test") else "train"
    block = blocks.get(rows_of)
    if not block:
        return None
    intervals = tuple(_intervals(block))
    tones = [remark.tone for remark in said if remark.key in _GAINS]
    return Bearing(
        rows_of=rows_of,
        rows=block["rows"],
        events=block["events"],
        few=block["few"],
        intervals=intervals,
        fit=block.get("fit"),
        methods=_methods(intervals),
        gain_tone=tones[0] if tones else "grey",
    )


def grade_tests(metrics: Plain) -> dict[str, Plain]:
    """By grade its counts, interval, promise and verdict."""
    return {one["name"]: one for one in (metrics.get("grading") or {}).get("grades", ())}


def verdict_tone(test: Plain) -> Tone:
    """Green only where a test is behind it: a promise that is kept, and defaults that the PD explains."""
    tone = _TONES.get(test["verdict"], "grey")
    return "bad" if tone == "good" and is_surprise(test) else tone


def is_surprise(test: Plain) -> bool:
    """Whether the defaults are too far from the grade's mean PD for chance."""
    return test["surprise"] is not None and bool(test["surprise"] < ALPHA)


def _intervals(block: Plain) -> Iterable[IntervalRow]:
    alone, gain = block.get("alone", {}), block.get("gain", {})
    for name in NAMES:
        row = IntervalRow(name, block.get(name), alone.get(name), gain.get(name))
        if row.joint or row.alone:
            yield row


def _methods(rows: Iterable[IntervalRow]) -> tuple[str, ...]:
    found = (one["method"] for row in rows for one in (row.joint, row.alone, row.gain) if one)
    return tuple(dict.fromkeys(found))
