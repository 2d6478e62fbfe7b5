"""The help of every command: it fits a screen, and ends with an example that is right."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from saferoom.cli.app import app

SCREEN_LINES, SCREEN_COLUMNS = 40, 100
OPEN_END = {
    "coordinator up",
    "party up",
    "demo",
    "lab run",
    "audit serve",
}  # they run a node or a room themselves
ON_FILES = {
    "grade check",
    "grade calibrate",
    "grade apply",
    "grade compare",
    "audit entry",
}  # they ask no node


def _commands(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, tree
    for name, command in getattr(tree, "commands", {}).items():
        yield from _commands(command, (*path, name))


ALL = dict(_commands(typer.main.get_command(app)))
LEAVES = {path: command for path, command in ALL.items() if not hasattr(command, "commands")}


def _help(path: tuple[str, ...]) -> list[str]:
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": str(SCREEN_COLUMNS)})
    assert result.exit_code == 0
    return result.stdout.strip().splitlines()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_fits_a_screen_and_ends_with_an_example(path: tuple[str, ...]) -> None:
    lines = _help(path)
    assert len(lines) <= SCREEN_LINES
    assert max(map(len, lines)) <= SCREEN_COLUMNS
    (at,) = [number for number, line in enumerate(lines) if line.strip().startswith("Example: ")]
    example = " ".join(line.strip() for line in lines[at:]).removeprefix("Example: ")
    words = shlex.split(example)
    assert words[0] == "saferoom"
    assert tuple(words[1 : 1 + len(path)]) == path


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_examples_of_commands_parse(path: tuple[str, ...]) -> None:
    example = " ".join(line.strip() for line in LEAVES[path].epilog.splitlines()).removeprefix("Example: ")
    command, words = LEAVES[path], shlex.split(example)[1 + len(path) :]
    with command.make_context(" ".join(path), words):
        pass  # raises if an option does not exist, or something required is missing


@pytest.mark.parametrize("path", [path for path in ALL if path], ids=" ".join)
def test_first_sentence_is_not_cut_off_in_the_list(path: tuple[str, ...]) -> None:
    """In the list above it, the sentence stands whole even on a narrow terminal."""
    result = CliRunner().invoke(app, [*path[:-1], "--help"], env={"COLUMNS": "80"})
    (line,) = [line for line in result.stdout.splitlines() if re.match(rf"  {path[-1]}  ", line)]
    assert line.rstrip().endswith(".")
    assert not line.rstrip().endswith("...")


@pytest.mark.parametrize("path", [p for p in LEAVES if " ".join(p) not in OPEN_END], ids=" ".join)
def test_every_command_answers_as_json_from_any_home(path: tuple[str, ...]) -> None:
    options = {name for parameter in LEAVES[path].params for name in parameter.opts}
    home = set() if " ".join(path) in ON_FILES else {"--home", "--passphrase-file"}
    assert {"--json"} | home <= options


def test_the_first_screen_leads_a_newcomer() -> None:
    text = "\n".join(_help(()))
    for words in ("To try it:", "To set up:", "To work:", "To check:", "saferoom demo", "SAFEROOM_HOME"):
        assert words in text
