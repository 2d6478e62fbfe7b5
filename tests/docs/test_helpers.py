"""tests/README.md is the map of what tests are built from."""

from __future__ import annotations

import re

from tests.conftest import ROOT

MAP = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", MAP, re.MULTILINE)


def test_every_helper_is_on_the_map_and_nothing_else() -> None:
    helpers = {path.stem for path in (ROOT / "tests").glob("*.py")} - {"conftest", "__init__"}
    assert {name for name, *_ in ROWS} == helpers
    assert len(ROWS) == len(helpers)


def test_what_the_map_names_is_in_the_helper() -> None:
    """Names in the words about a helper are its own."""
    for name, gives, *_ in ROWS:
        source = (ROOT / "tests" / f"{name}.py").read_text(encoding="utf-8")
        for word in re.findall(r"`(\w+)(?:\([^`]*\))?`", gives):
            if word not in dict.fromkeys(row[0] for row in ROWS):
                assert re.search(rf"\b{word}\b", source), (name, word)
