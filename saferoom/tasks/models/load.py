"""A model of whatever kind, from its file: what scoring, reports and cards have in common to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

from saferoom.errors import StorageError
from saferoom.tasks.models.boosting import KIND, BoostedModel
from saferoom.tasks.models.logistic import FILE, PartyModel

AnyModel: TypeAlias = PartyModel | BoostedModel


def load_model(folder: Path) -> AnyModel:
    """The part in a model's folder. Raises StorageError."""
    return model_from_file(folder / FILE)


def model_from_file(file: Path) -> AnyModel:
    """Raises StorageError if the file is missing, damaged or of another version."""
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        return BoostedModel.from_plain(plain) if plain["kind"] == KIND else PartyModel.from_plain(plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError("the model file is missing or damaged", remedy="train again") from error
