"""Small data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.data import DatasetDescription, describe
from saferoom.ids import USCC_ALPHABET, uscc_check_character

MakeCodes = Callable[..., list[str]]
MakeDataset = Callable[..., DatasetDescription]


@pytest.fixture(scope="session")
def make_codes() -> MakeCodes:
    """`make_codes(n, seed=0)`: distinct valid enterprise codes."""

    def make(count: int, seed: int = 0) -> list[str]:
        random = np.random.default_rng(seed)
        found: dict[str, None] = {}
        while len(found) < count:
            body = "".join(USCC_ALPHABET[i] for i in random.integers(0, 31, 17))
            found[body + uscc_check_character(body)] = None
        return list(found)

    return make


@pytest.fixture
def make_dataset(tmp_path: Path) -> MakeDataset:
    """`make_dataset(text, **keys)`: the description of a CSV file with opaque ids."""

    def make(content: str | bytes, **keys: Any) -> DatasetDescription:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "data.csv").write_bytes(data)
        described = {"name": "small", "source": "data.csv", "id": "id", "id_kind": "opaque", **keys}
        return describe(described, tmp_path, party="bank")

    return make
