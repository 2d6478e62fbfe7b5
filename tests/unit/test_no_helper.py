"""That there may be a helper is known to protocols, and to nothing between them and the contract."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "saferoom"
ROOMS = ("models", "scoring", "tasks")


def named(code: str) -> list[int]:
    """Lines that name the constant HELPER, or ask something for its `helper`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(code))
        if (isinstance(node, ast.Name) and node.id == "HELPER")
        or (isinstance(node, ast.ImportFrom) and any(one.name == "HELPER" for one in node.names))
        or (isinstance(node, ast.Attribute) and node.attr == "helper")
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_model_names_the_helper(room: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in (ROOT / room).rglob("*.py")
        if (lines := named(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_a_name_is_found() -> None:
    assert named("from saferoom.ids import HELPER\ns.send(s.helper, HELPER)\nhelper = 1\n") == [1, 2, 2]
