"""Golden files: what the code gave when they were made, held against what it gives now.

    pretty    JSON for people: what fits on a line stands on one, so that a diff is short
    About     a number that masks leave noise in, written "0.1234 ± 0.001"
    Golden    compares; or, with SAFEROOM_REWRITE_GOLDEN=1, writes the files anew and lets the test fail

Floats are written with twelve digits and may differ in the last of them: rows are added up in another order
on another machine. Everything else is compared to the letter, the order of keys included.
"""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

FILES = Path(__file__).parent / "files"
REWRITE = "SAFEROOM_REWRITE_GOLDEN"
MOST_LINES = 80
WIDTH = 140
_DIGITS, _LAST_DIGITS = 12, 1e-10
_ROUNDED = 1e-4
"""So far may a noisy number, which is written with seven digits, be off besides."""


@dataclass(frozen=True, slots=True)
class About:
    """A number, and how far noise may move it."""

    value: float
    within: float

    def __str__(self) -> str:
        return f"{self.value:.7g} ± {self.within:g}"

    def fits(self, then: object) -> bool:
        """Whether a golden file's text, made of such a number, differs from this one by noise alone."""
        number, _, within = str(then).partition(" ± ")
        reach = self.within * (1 + _ROUNDED)
        return within == f"{self.within:g}" and abs(float(number) - self.value) <= reach


class Golden:
    """Compares with the golden files of a folder, or writes them."""

    def __init__(self, folder: Path = FILES, *, rewrites: bool = False) -> None:
        self.folder, self.rewrites = folder, rewrites

    def holds(self, name: str, found: Any) -> None:
        """Fail unless `files/<name>` says what was found: JSON values, or a text."""
        file = self.folder / name
        then = file.read_text(encoding="utf-8") if file.exists() else ""
        now = found if isinstance(found, str) else _as_text(found, then)
        if self.rewrites:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(now, encoding="utf-8")
        elif now != then:
            pytest.fail(f"{name} is not what it was\n{_difference(then, now)}", pytrace=False)


def is_rewriting() -> bool:
    """Whether golden files are to be written. Fails in CI: there they are only read."""
    wanted = os.environ.get(REWRITE) == "1"
    if wanted and os.environ.get("CI"):
        pytest.fail(f"{REWRITE} is set in CI, where golden files are read and never written", pytrace=False)
    return wanted


def fail_as_rewritten() -> None:
    """A run that wrote golden files has compared nothing, and must not pass for one that has."""
    pytest.fail(
        f"golden files were REWRITTEN and nothing was compared: read `git diff`, then run without {REWRITE}",
        pytrace=False,
    )


def pretty(value: Any, depth: int = 0) -> str:
    """JSON in which every list and mapping that fits on a line stands on one."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(flat) + depth <= WIDTH:
        return flat
    pad = " " * (depth + 1)
    if isinstance(value, list):
        lines = [pad + pretty(item, depth + 1) for item in value]
        return "[\n" + ",\n".join(lines) + "\n" + " " * depth + "]"
    items = [(json.dumps(name, ensure_ascii=False), item) for name, item in value.items()]
    lines = [f"{pad}{name}: {pretty(item, depth + 1)}" for name, item in items]
    return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"


def settled(now: Any, then: Any) -> Any:
    """JSON values of what was found; where only noise differs, with the golden file's own number."""
    if isinstance(now, About):
        return then if now.fits(then) else str(now)
    if isinstance(now, float):
        close = isinstance(then, float) and math.isclose(now, then, rel_tol=_LAST_DIGITS, abs_tol=1e-15)
        return then if close else float(f"{now:.{_DIGITS}g}")
    if isinstance(now, Mapping):
        known = then if isinstance(then, dict) else {}
        return {str(name): settled(value, known.get(str(name))) for name, value in now.items()}
    if isinstance(now, list | tuple):
        known_items = then[: len(now)] if isinstance(then, list) else []
        return [settled(value, known) for value, known in zip_longest(now, known_items)]
    return now


def _as_text(found: Any, then: str) -> str:
    return pretty(settled(found, json.loads(then) if then else None)) + "\n"


def _difference(then: str, now: str) -> str:
    if not then:
        return f"there is no such golden file; {REWRITE}=1 writes it"
    found = difflib.unified_diff(then.splitlines(), now.splitlines(), "golden", "now", lineterm="", n=2)
    lines = list(found)
    more = [f"… and {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return "\n".join([*lines[:MOST_LINES], *more, f"If this is meant, write the files anew: {REWRITE}=1"])
