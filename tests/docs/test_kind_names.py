"""A kind of task is known where it is defined and where it is done. No other room names one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from saferoom.kinds.registry import kind_names
from tests.conftest import ROOT

KINDS = re.compile(rf"\b({'|'.join(kind_names())})\b")
AT_HOME = ("kinds", "tasks", "models")


def docstrings(tree: ast.AST) -> set[int]:
    """The ids of the constants that only describe: a statement that is a string and nothing else."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def kinds_named_in(source: str) -> Iterator[str]:
    """Each kind of task, as often as a string constant holds its name as a whole word."""
    tree = ast.parse(source)
    described = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield from KINDS.findall(node.value)


def test_no_other_room_names_a_kind() -> None:
    paths = [path.relative_to(ROOT) for path in (ROOT / "saferoom").rglob("*.py")]
    named = [
        f"{path}: {kind}"
        for path in paths
        if path.parts[1] not in AT_HOME
        for kind in kinds_named_in((ROOT / path).read_text("utf-8"))
    ]
    assert len(paths) > 300
    assert named == [], "ask the kind of the task instead"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("if kind == 'boosting': pass", ["boosting"]),
        ("f'a joint scorecard of {party}'", ["scorecard"]),
        ("Literal['logistic', 'scorecard']", ["logistic", "scorecard"]),
        ("'''Of boosting.'''", []),
        ("def f():\n '''Of boosting.'''\n return 'scorecards', 'boosting_label'", []),
        ("boosting.train()  # boosting", []),
    ],
)
def test_what_counts_as_naming_a_kind(source: str, found: list[str]) -> None:
    assert list(kinds_named_in(source)) == found
