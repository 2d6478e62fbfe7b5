"""The lines a person reads at the end of a lab run."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from saferoom.report.result_lines import figure_lines, grade_lines, remark_lines


def summary_lines(metrics: Mapping[str, Any], out: Path, lang: str = "en") -> Iterator[str]:
    """Joint next to alone, grades with default rates, what these can bear, costs, the logs' verdict.

    `lang`, zh or en: of the sentences on what the figures can bear.
    """
    yield ""
    rows = f"{metrics['rows_aligned']} aligned, {metrics['rows_train']} train, {metrics['rows_test']} test"
    yield f"room {metrics['room']}: {rows}, trust {metrics['trust']}"
    yield from _quality(metrics)
    yield ""
    yield from _grades(out / "scores.csv")
    yield ""
    if "grading" in metrics:
        yield from (*grade_lines(metrics["grading"]), "", *remark_lines(metrics, lang), "")
    seconds = ", ".join(f"{phase} {value:.2f} s" for phase, value in metrics["seconds"].items())
    yield f"seconds: {seconds}"
    yield f"bytes:   {sum(metrics['bytes'].values()) / 1e6:.1f} MB between nodes"
    yield f"logs:    {'all verify' if metrics['logs_ok'] else 'NOT ALL VERIFY'} (log/verify.json)"
    yield f"results: {out}"


def _quality(metrics: Mapping[str, Any]) -> Iterator[str]:
    twin, others = metrics.get("twin", {}), []
    if twin:
        others.append(("plain twin", twin["test"]))
        if "without_minimums" in twin:
            others.append(("no minimums", twin["without_minimums"]["test"]))
    yield from figure_lines(metrics, others)
    wrong = {party: its["wrong_signs"] for party, its in metrics["columns"].items() if its.get("wrong_signs")}
    if wrong:
        counted = ", ".join(f"{count} of {party}" for party, count in wrong.items())
        yield f"WRONG SIGNS: {counted} (marked in the tables of points, and in the report)"
    if "max_coef_diff" in twin:
        yield f"largest coefficient difference to the twin: {twin['max_coef_diff']:.5f}"
    if "other_grades" in twin:
        yield f"grades other than the twin's: {twin['other_grades']} of {metrics['rows_aligned']}"
    if "trees" in twin:
        yield f"trees equal to the twin's: {twin['equal_trees']} of {twin['trees']}"


def _grades(scores: Path) -> Iterator[str]:
    rows: Counter[str] = Counter()
    events: Counter[str] = Counter()
    with scores.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            rows[row["grade"]] += 1
            events[row["grade"]] += int(row["y"])
    yield f"{'grade':8}{'rows':>10}{'default rate':>15}"
    for grade in sorted(rows):
        yield f"{grade:8}{rows[grade]:10}{events[grade] / rows[grade]:14.1%}"
