"""docs/protocols/audit.md names a test for each threat to a log: it is there, and is not skipped."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADVERSARY = ROOT / "tests" / "adversary"
PAGE = (ROOT / "docs" / "protocols" / "audit.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Threats, and the test of each\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in SECTION.splitlines() if line[:1] == "|"
][2:]
THREATS = (
    *("rewrites", "restores a backup", "two views", "stalls", "omits", "invents a receipt", "replays"),
    *("collude", "stolen log key", "leaks identities", "disk fails"),
)


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_has_a_row(threat: str) -> None:
    assert len([who for who, _, _ in ROWS if threat in who]) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_every_named_test_is_there(row: list[str]) -> None:
    named = re.findall(r"`(\w+\.py)::(\w+)`", row[2])
    assert named and len(named) == row[2].count("`") / 2
    for file, name in named:
        tree = ast.parse((ADVERSARY / file).read_text(encoding="utf-8"))
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        assert len(found) == 1 and name.startswith("test_"), f"{file} has no test {name}"
        marks = " ".join(ast.unparse(mark) for mark in found[0].decorator_list)
        assert "skip" not in marks and "xfail" not in marks
