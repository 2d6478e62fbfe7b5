"""Commands in the documents exist, with those options; they are read, not run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from saferoom.cli.app import app

Commands = Callable[[Path], list[str]]
Checker = Callable[..., list[str]]

SCREEN_LINES = 40


def test_commands_in_shell_blocks(
    documents: list[Path], commands_in: Commands, check_command: Checker
) -> None:
    found = [(page.name, line) for page in documents for line in commands_in(page)]
    assert len(found) > 40
    assert [(page, p) for page, line in found for p in check_command(line, complete=True)] == []


def test_commands_in_running_text(documents: list[Path], quoted_in: Commands, check_command: Checker) -> None:
    found = [(page.name, line) for page in documents for line in quoted_in(page)]
    assert len(found) > 10
    assert [(page, p) for page, line in found for p in check_command(line, complete=False)] == []


def test_commands_in_service_files(root: Path, check_command: Checker) -> None:
    units = sorted((root / "parties").rglob("*.service"))
    assert len(units) == 4
    for unit in units:
        (line,) = re.findall(
            r"^ExecStart=/opt/saferoom/bin/(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert check_command(line, complete=True) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("saferoom party fly", "no command 'fly'"),
        ("saferoom party init bank --organization X", "no option --organization"),
        ("saferoom party init bank", "--organisation is missing"),
        ("saferoom party init --organisation X", "an argument is missing"),
        ("saferoom party init a b --organisation X", "takes 1 arguments, not 2"),
        ("saferoom --loud demo", "no option --loud"),
    ],
)
def test_the_check_finds_wrong_commands(check_command: Checker, line: str, problem: str) -> None:
    assert any(problem in found for found in check_command(line, complete=True))


def test_both_readmes_list_the_same_commands(root: Path, commands_in: Commands) -> None:
    english, chinese = commands_in(root / "README.md"), commands_in(root / "README.zh.md")
    assert len(english) > 10
    assert english == chinese


def test_both_readmes_link_the_same_pages(root: Path) -> None:
    link = re.compile(r"\]\(([^)]+)\)")
    english, chinese = (
        set(link.findall((root / name).read_text(encoding="utf-8"))) for name in ("README.md", "README.zh.md")
    )
    assert english - {"README.zh.md"} == chinese - {"README.md"}


def test_make_targets_exist(root: Path, documents: list[Path]) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    mention = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
    named = {target for page in documents for target in mention.findall(page.read_text(encoding="utf-8"))}
    assert {"demo", "test"} <= named <= targets


def _groups() -> Iterator[tuple[tuple[str, ...], Any]]:
    tree: Any = typer.main.get_command(app)
    yield (), tree
    for name, command in tree.commands.items():
        if hasattr(command, "commands"):
            yield (name,), command


def _leaves() -> Iterator[tuple[str, ...]]:
    for path, group in _groups():
        for name, command in group.commands.items():
            if not hasattr(command, "commands"):
                yield *path, name


def _help(path: tuple[str, ...]) -> list[str]:
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    return result.stdout.strip().splitlines()


@pytest.mark.parametrize("path", [path for path, _ in _groups()], ids=" ".join)
def test_help_of_groups_ends_with_an_example_that_works(
    path: tuple[str, ...], check_command: Checker
) -> None:
    lines = _help(path)
    assert len(lines) <= SCREEN_LINES
    (at,) = [number for number, line in enumerate(lines) if line.strip().startswith("Example: ")]
    example = " ".join(line.strip() for line in lines[at:]).removeprefix("Example: ")
    assert check_command(example, complete=True) == []


@pytest.mark.parametrize("path", list(_leaves()), ids=" ".join)
def test_help_of_commands_fits_a_screen(path: tuple[str, ...]) -> None:
    lines = _help(path)
    assert len(lines) <= SCREEN_LINES
    before_options = lines[: lines.index("Options:")]
    assert any(line.startswith("  ") and line.strip().endswith(".") for line in before_options)
