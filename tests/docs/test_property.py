"""Property tests take their number of examples, and whether they are the same each time, from one place."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from hypothesis import settings

from tests.conftest import ROOT

BY_HAND = re.compile(r"^from hypothesis import .*\bsettings\b|\bhypothesis\.settings\b", re.MULTILINE)
ASK = """
from hypothesis import settings
from tests.property import examples, load_profile
load_profile()
found = examples(10)
print(found.max_examples, found.derandomize, found.deadline, settings().derandomize)
"""


def ask(profile: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a run under this profile would say of itself, with these variables and no other sign of a CI."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= plain | {"SAFEROOM_EXAMPLES": profile, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("where", [{}, {"CI": "true"}], ids=["anywhere", "in CI"])
@pytest.mark.parametrize(
    ("profile", "said"), [("ci", "10 True None True"), ("nightly", "200 False None False")]
)
def test_a_profile_says_how_many_examples_and_whether_the_same(
    profile: str, said: str, where: dict[str, str]
) -> None:
    asked = ask(profile, **where)
    assert asked.stdout.strip() == said, asked.stderr


def test_an_unknown_profile_is_named_with_the_known_ones() -> None:
    assert "SAFEROOM_EXAMPLES=daily: expected ci or nightly" in ask("daily").stderr


def test_this_run_uses_it() -> None:
    assert settings().deadline is None


def test_no_test_sets_its_examples_by_hand() -> None:
    paths = [
        path
        for path in (ROOT / "tests").rglob("*.py")
        if path.name not in ("property.py", "test_property.py")
    ]
    assert [path.name for path in paths if BY_HAND.search(path.read_text("utf-8"))] == []
