"""The files that every kind of model has in its folder: `model.json` is for its own party alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saferoom.errors import StorageError
from saferoom.files.private import write_output

FILE, STABILITY = "model.json", "stability.json"
VERSION = 1


def save_model(folder: Path, plain: Mapping[str, Any], *, indent: int | None = 1) -> None:
    """Write `model.json`, 0600."""
    write_output(folder / FILE, json.dumps(plain, ensure_ascii=False, indent=indent))


def save_stability(folder: Path, stability: Mapping[str, float]) -> None:
    """How each prepared column moved from training to test rows, for this party's own report."""
    write_output(folder / STABILITY, json.dumps(stability, ensure_ascii=False, indent=1))


def load_stability(folder: Path) -> dict[str, float]:
    """Empty where it was not measured."""
    file = folder / STABILITY
    found: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def check_version(plain: Mapping[str, Any]) -> None:
    """Raises StorageError for a model of another version."""
    if plain["version"] != VERSION:
        raise StorageError("the model is of another version", remedy="score with the SafeRoom that made it")
