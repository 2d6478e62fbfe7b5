"""Shared fixtures: where the real data and the public vectors lie, if they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.property import load_profile

load_profile()

# Parties are threads of one process here, and tests run side by side: arithmetic that spreads over all cores
# would only get in its own way. Read when numpy is loaded, which comes later; children inherit it.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

ROOT = Path(__file__).resolve().parents[1]


def _beside_project(name: str) -> Path:
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        if os.environ.get("SAFEROOM_REQUIRE_SHARED") == "1":
            pytest.fail(f"shared/{name} must lie beside the project here, and does not")
        pytest.skip(f"shared/{name} does not lie beside the project")
    return folder


@pytest.fixture(scope="session")
def shared_data_dir() -> Path:
    """The real credit data, split among three parties."""
    return _beside_project("data")


@pytest.fixture(scope="session")
def shared_vectors_dir() -> Path:
    """Public test vectors for the log."""
    return _beside_project("vectors")
