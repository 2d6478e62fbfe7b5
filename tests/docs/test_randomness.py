"""docs/protocols/randomness.md lists every correlation, and the file in which it stands."""

from __future__ import annotations

import re
from pathlib import Path

from tests.correlation_cases import every_correlation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocols" / "randomness.md"


def test_the_page_lists_every_correlation_and_its_file() -> None:
    listed = re.findall(r"^\| `(\w+)` \(`(\w+)\.py`\)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    there = {(one.__name__, one.__module__.rpartition(".")[2]) for one in every_correlation()}
    assert len(listed) == len(there)
    assert set(listed) == there
