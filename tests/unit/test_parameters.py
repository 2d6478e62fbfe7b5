"""No function takes more than six parameters, but for those that are listed here with the reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "saferoom"
GENERATED = ROOT / "link" / "v1"
MOST = 6
DOOR = "a protocol's door: arguments are named at the call, and most of them are given at one side only"
COMMAND = "a command: each parameter is an option of the command line"
PLUG = "an end of the link: what it is plugged into, callbacks named at the call"
ENTRY = "the columns of an entry, named at the call"

REASONS = {
    "audit/log/recorder.py Recorder.event": ENTRY,
    "cli/audit_commands.py verify": COMMAND,
    "cli/console_commands.py serve": COMMAND,
    "cli/evidence_commands.py bundle": COMMAND,
    "cli/evidence_commands.py fsck": COMMAND,
    "cli/evidence_commands.py search": COMMAND,
    "cli/grade_commands.py compare": COMMAND,
    "cli/score_commands.py batch": COMMAND,
    "cli/score_commands.py one": COMMAND,
    "link/job/joblink.py JobLink.__init__": PLUG,
    "link/relay/relay.py Relay.__init__": PLUG,
    "link/transport/connection.py Connection.__init__": PLUG,
    "link/transport/partylink.py PartyLink.__init__": PLUG,
    "models/boosting/train.py train_boosting": DOOR,
    "protocols/label_counts.py count_events": DOOR,
    "protocols/leaf_sum.py leaf_sum": DOOR,
}


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool) -> int:
    """Positional and keyword-only ones, without `self` and `cls`."""
    own = function.args
    names = [one.arg for one in (*own.posonlyargs, *own.args, *own.kwonlyargs)]
    return len(names) - (is_method and names[:1] in (["self"], ["cls"]))


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = prefix + child.name
            yield name, parameters(child, is_method=isinstance(node, ast.ClassDef))
            yield from functions(child, f"{name}.")
        else:
            yield from functions(
                child, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix
            )


def too_many() -> set[str]:
    return {
        f"{path.relative_to(ROOT).as_posix()} {name}"
        for path in ROOT.rglob("*.py")
        if GENERATED not in path.parents
        for name, count in functions(ast.parse(path.read_text(encoding="utf-8")))
        if count > MOST
    }


def test_no_function_takes_more_than_six_parameters_without_a_reason() -> None:
    assert sorted(too_many() - REASONS.keys()) == []


def test_the_list_names_no_function_that_needs_no_reason() -> None:
    assert sorted(REASONS.keys() - too_many()) == []


def test_parameters_are_counted() -> None:
    code = """
class One:
    def method(self, a, /, b, *c, d, **e): ...
    async def other(self): ...
def function(a, b):
    def inner(a, b, c): ...
"""
    found = dict(functions(ast.parse(code)))
    assert found == {"One.method": 3, "One.other": 0, "function": 2, "function.inner": 3}
