"""What parties keep of a job: the files of a model and of scores, and of a training checkpoint.

Values that masks leave noise in are `About` some number: coefficients and what follows from them, and what is
rounded up or down at random, as scores are. Trees and their weights are exact; so are counts, bins, WOE,
edges.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.seen import named
from tests.golden.store import About

SHOWN, MOST_SHOWN = 10, 40
"""Of a list that is longer than the second, so many lines stand in a golden file; of the others, totals."""

Noise = Mapping[str, float]
"""By key, column or file: how far a value moves from one run to another."""

_RELEASED: Noise = {"points": 7, "pd": 0.025, "test": 0.03, "grade": 10}
"""Each of three parties rounds its part of a score to 1/64 log-odds, by chance, anew in every run."""
_OF_REGRESSIONS: Noise = {
    "coefficient": 1e-3,
    "coefficients": 1e-3,
    "intercept": 1e-3,
    "standard_error": 1e-3,
    "p_value": 1e-3,
    "base_points": 1,
    "train": 0.03,
    **_RELEASED,
}
"""`train` and `test` are mappings of metrics, of which KS moves by a row at a time; `grade` is how many
enterprises have one."""
_OF_SCORECARDS = {**_OF_REGRESSIONS, "points": 3, "pd": 0.01}
"""Points of each bin are rounded, and a score is a sum of them: its noise is of whole points."""
_OF_OPTIMISERS: Noise = {"pd": 1e-5, "train": 1e-5, "test": 1e-5}
"""The label holder's own regression is found by steps, which end a little elsewhere on another machine."""
_VALUE_STEP = 1 << 16
"""Values of splits are told in such steps, rounded up or down at random."""
_SCALES = ("scale", "points")
"""Mappings of these names are settings of the scale, whose `base_points` are as agreed."""

_DIGEST_BYTES = 64


def noise_of(kind: str, *, is_label_holder: bool) -> Noise:
    """What is noisy in the files of a kind of model at a party."""
    if kind == "boosting":
        return _RELEASED if is_label_holder else {"values": _VALUE_STEP}
    return _OF_SCORECARDS if kind == "scorecard" else _OF_REGRESSIONS


def folder_of(path: Path, names: Mapping[str, str], noise: Noise) -> dict[str, Any]:
    """Every file by name: its mode, and its content."""
    return {
        file.name: {"mode": _mode(file), **_content(file, names, noise)} for file in sorted(path.iterdir())
    }


def _mode(file: Path) -> str:
    return oct(stat.S_IMODE(file.stat().st_mode))


def _content(file: Path, names: Mapping[str, str], noise: Noise) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        return {"content": blurred(named(json.loads(text), names), noise)}
    return listed(text, _OF_OPTIMISERS if file.name == "alone.csv" and noise else noise)


def blurred(value: Any, noise: Noise, within: float = 0) -> Any:
    """JSON values in which numbers under the keys of `noise` are about what they are."""
    if isinstance(value, dict):
        return {key: _blurred_item(key, inner, noise, within) for key, inner in value.items()}
    if isinstance(value, list):
        return [blurred(inner, noise, within) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return About(value, within) if within and is_number else value


def _blurred_item(key: str, value: Any, noise: Noise, within: float) -> Any:
    if key in _SCALES and isinstance(value, dict):
        return value
    if key == "alone":
        return blurred(value, _OF_OPTIMISERS if noise else {})
    return blurred(value, noise, noise.get(key, within))


def listed(text: str, noise: Noise) -> dict[str, Any]:
    """A CSV file: its header, how many lines, the first of them, and totals of each column."""
    rows = list(csv.reader(io.StringIO(text)))
    header, lines = rows[0], [[_number(cell) for cell in row] for row in rows[1:]]
    shown = lines if len(lines) <= MOST_SHOWN else lines[:SHOWN]
    columns = dict(zip(header, zip(*lines, strict=True), strict=True)) if lines else {}
    return {
        "header": header,
        "lines": len(lines),
        "first": [_line(header, line, noise) for line in shown],
        "totals": {name: _total(values, noise.get(name, 0)) for name, values in columns.items()},
    }


def _line(header: list[str], line: list[Any], noise: Noise) -> list[Any]:
    """A line in which numbers of noisy columns are about what they are, and texts are left out."""
    found = blurred(dict(zip(header, line, strict=True)), noise)
    return ["~" if name in noise and isinstance(cell, str) else cell for name, cell in found.items()]


def _number(cell: str) -> Any:
    for read in (int, float):
        try:
            return read(cell)
        except ValueError:
            continue
    return cell


def _total(values: tuple[Any, ...], within: float) -> Any:
    """The mean of numbers; how often each of a few texts stands there; a digest of many."""
    if all(isinstance(value, int | float) for value in values):
        mean = sum(values) / len(values)
        return About(mean, within) if within else mean
    if len(set(values)) <= SHOWN:
        return blurred(dict(sorted(Counter(map(str, values)).items())), {}, within)
    return hashlib.sha256("\n".join(map(str, values)).encode()).hexdigest()


def checkpoint_of(path: Path, names: Mapping[str, str]) -> dict[str, Any]:
    """The files of a training checkpoint: text as it is, arrays by type and shape."""
    return {file.name: {"mode": _mode(file), **_kept(file, names)} for file in sorted(path.iterdir())}


def _kept(file: Path, names: Mapping[str, str]) -> dict[str, Any]:
    whole = file.read_bytes()
    content, digest = whole[:-_DIGEST_BYTES], whole[-_DIGEST_BYTES:]
    assert hashlib.sha256(content).hexdigest().encode() == digest
    if not content.startswith(b"PK"):
        return {"content": named(json.loads(content), names)}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {"arrays": {name: _array(arrays[name]) for name in arrays.files}}


def _array(array: Any) -> Any:
    """Type and shape; few numbers as they are."""
    found: dict[str, Any] = {"type": str(array.dtype), "shape": list(array.shape)}
    if array.size <= SHOWN:
        return found | {"values": array.tolist()}
    if array.dtype.kind in "ib":
        return found | {"sum": int(array.sum())}
    return found
