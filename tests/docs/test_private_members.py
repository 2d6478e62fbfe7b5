"""Tests talk to public names. The private ones they still touch stand in a list that only shrinks."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.shrinking_list import assert_only_shrinks, write_list

LIST = Path(__file__).with_name("private_members.txt")
BY_NAME = {"setattr", "getattr", "delattr", "hasattr", "object", "patch"}
"""Calls that take a member's name as a string: `monkeypatch.setattr`, `patch.object`, …"""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 1


def defined_in(tree: ast.AST) -> set[str]:
    """Private names of functions, classes, variables, fields and attributes that are given a value here."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return {name for name in names if is_private(name)}


def touched_in(tree: ast.AST, private: set[str], own: frozenset[str] = frozenset()) -> Iterator[str]:
    """Each use of a name of `private`; `own` are those that the class around defines for itself."""
    for node in ast.iter_child_nodes(tree):
        inner = frozenset(defined_in(node)) if isinstance(node, ast.ClassDef) else own
        if isinstance(node, ast.Attribute) and node.attr in private:
            if not (node.attr in own and ast.unparse(node.value) in ("self", "cls")):
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("saferoom"):
            parts = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            yield from filter(is_private, parts)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in BY_NAME:
            given = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            yield from (name for name in (text.rpartition(".")[2] for text in given) if name in private)
        yield from touched_in(node, private, inner)


def touched_by_tests() -> Counter[str]:
    """`file name`, and how often the file touches this private member of the package."""
    sources = (ROOT / "saferoom").rglob("*.py")
    private = {name for path in sources for name in defined_in(ast.parse(path.read_text("utf-8")))}
    return Counter(
        f"{path.relative_to(ROOT)} {name}"
        for path in (ROOT / "tests").rglob("*.py")
        for name in touched_in(ast.parse(path.read_text("utf-8")), private)
    )


def test_private_members_that_tests_touch_only_become_fewer() -> None:
    assert_only_shrinks(touched_by_tests(), LIST, instead="use or make a public name, or pass a stand-in")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("link._pipe.close()", ["_pipe"]),
        ("from saferoom.link.pipe import Pipe, _read", ["_read"]),
        ("from saferoom._pipe import Pipe", ["_pipe"]),
        ("monkeypatch.setattr(link, '_pipe', None)", ["_pipe"]),
        ("patch('saferoom.link._pipe')", ["_pipe"]),
        ("def bent(self: Link): return self._pipe", ["_pipe"]),
        ("class A(Link):\n def f(self): return self._pipe", ["_pipe"]),
        ("class A:\n def f(self): self._pipe = 1\n def g(self): return self._pipe", []),
        ("class A:\n def f(self): self._pipe = 1\n def g(self): return self.link._pipe", ["_pipe"]),
        ("namedtuple._replace(); link.__class__; link.pipe", []),
    ],
)
def test_what_counts_as_touching(source: str, found: list[str]) -> None:
    assert list(touched_in(ast.parse(source), {"_pipe", "_read"})) == found


if __name__ == "__main__":
    write_list(touched_by_tests(), LIST)
