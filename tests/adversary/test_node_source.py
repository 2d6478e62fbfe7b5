"""The source itself: secrets from the operating system; nothing is unpickled, evaluated or asserted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "saferoom"
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
    if not path.name.endswith("_pb2.py")
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "random"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def _uses(tree: ast.AST) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_there_is_something_to_scan() -> None:
    assert len(SOURCES) > 100
    assert {"node/core.py", "protocols/psi.py", "link/cipher.py"} <= set(SOURCES)


def test_no_module_that_runs_what_it_reads_or_guesses_its_secrets() -> None:
    found = {
        (name, module)
        for name, tree in SOURCES.items()
        for module in _imports(tree)
        if module.split(".")[0] in FORBIDDEN_MODULES
    }
    assert not found


def test_no_numpy_random_outside_the_lab() -> None:
    """`saferoom.lab` makes data up, and `ks` resamples counts; others draw secrets from ring.prg, what is
    public from ring.public."""
    found = {
        name
        for name, tree in SOURCES.items()
        if {"np.random", "numpy.random"} & (_uses(tree) | set(_imports(tree)))
    }
    assert {name for name in found if not name.startswith("lab/")} == {"models/uncertainty/ks.py"}


def test_no_eval_and_no_exec() -> None:
    found = {
        (name, call) for name, tree in SOURCES.items() for call in _calls(tree) if call in FORBIDDEN_CALLS
    }
    assert not found
    for name, tree in SOURCES.items():
        if "yaml.load" in set(_calls(tree)):
            assert "SafeLoader" in ast.unparse(tree), name


def test_no_assert_stands_for_a_check() -> None:
    found = {name for name, tree in SOURCES.items() if any(isinstance(n, ast.Assert) for n in ast.walk(tree))}
    assert not found


@pytest.mark.parametrize("option", ["shell", "allow_pickle"])
def test_no_option_that_runs_text(option: str) -> None:
    for name, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == option:
                assert ast.unparse(node.value) == "False", name
