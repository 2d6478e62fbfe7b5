"""No two files import each other, not even inside a function: one of them holds what both need."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOM = Path(__file__).resolve().parents[2] / "saferoom"


def _modules() -> dict[str, Path]:
    found = {}
    for path in ROOM.rglob("*.py"):
        if path.name != "__init__.py":
            found[".".join(("saferoom", *path.relative_to(ROOM).with_suffix("").parts))] = path
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_two_files_import_each_other() -> None:
    modules = _modules()
    imports = {name: set(_imports(path)) & set(modules) for name, path in modules.items()}
    circles = {(a, b) for a, its in imports.items() for b in its if a < b and a in imports[b]}
    assert len(imports) > 200
    assert circles == set()
