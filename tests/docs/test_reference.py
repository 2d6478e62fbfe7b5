"""docs/commands.md is what the program says of itself."""

from __future__ import annotations

import importlib.util

from tests.conftest import ROOT


def test_the_reference_of_commands_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None and spec.loader is not None
    make_docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_docs)
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == make_docs.page(), "run `make docs`"
