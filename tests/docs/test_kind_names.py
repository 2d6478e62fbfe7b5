"""A kind of task is known where it is defined. Elsewhere its name stands in a list that only shrinks."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.shrinking_list import assert_only_shrinks, write_list

LIST = Path(__file__).with_name("kind_names.txt")
KINDS = re.compile(r"\b(logistic|scorecard|boosting)\b")
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


def kinds_named() -> Counter[str]:
    """`file kind`, and how often; files outside the rooms of kinds."""
    paths = [path.relative_to(ROOT) for path in (ROOT / "saferoom").rglob("*.py")]
    return Counter(
        f"{path} {kind}"
        for path in paths
        if path.parts[1] not in AT_HOME
        for kind in kinds_named_in((ROOT / path).read_text("utf-8"))
    )


def test_names_of_kinds_outside_their_rooms_only_become_fewer() -> None:
    assert_only_shrinks(kinds_named(), LIST, instead="ask the kind of the task")


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


if __name__ == "__main__":
    write_list(kinds_named(), LIST)
