"""What the documentation tests share: the documents, and a reader of command lines that runs nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from saferoom.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(saferoom [^`]+)`")
VARIABLE = re.compile(r"[A-Z_]+=\S*$")

Checker = Callable[..., list[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def documents() -> list[Path]:
    """Every page that people read."""
    names = ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "tests/README.md")
    return [
        *(ROOT / name for name in names),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "parties").rglob("*.md")),
    ]


def blocks(text: str, *languages: str) -> list[str]:
    """Contents of the fenced blocks in these languages."""
    return [body for language, body in FENCE.findall(text) if language in languages]


def shell_lines(text: str) -> list[str]:
    """The `saferoom ...` commands in a page's shell blocks, without `sudo` and variables."""
    found = []
    for body in blocks(text, "sh", "bash", "shell", "console"):
        for line in body.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and (words[0] == "sudo" or VARIABLE.match(words[0])):
                words.pop(0)
            if words and words[0] == "saferoom":
                found.append(shlex.join(words))
    return found


def spans(text: str) -> list[str]:
    """The `saferoom ...` commands quoted in the running text."""
    prose = FENCE.sub("", text)
    return [" ".join(span.split()) for span in SPAN.findall(prose) if "…" not in span.split()[1]]


class _Reader:
    """Holds a command line against the command tree."""

    def __init__(self) -> None:
        self._tree: Any = typer.main.get_command(app)

    def problems(self, line: str, *, complete: bool) -> list[str]:
        """What is wrong with a command line; `complete`: everything required must be there."""
        words = shlex.split(line)[1:]
        command = self._tree
        while hasattr(command, "commands"):
            while words and words[0].startswith("-"):
                option = words.pop(0)
                if option not in _options(command):
                    return [f"{line}: no option {option}"]
            if not words:
                return [f"{line}: a command is missing"] if complete else []
            name = words.pop(0)
            if name not in command.commands:
                return [f"{line}: no command {name!r}"]
            command = command.commands[name]
        return [f"{line}: {problem}" for problem in _leaf_problems(command, words, complete)]


def _options(command: Any) -> dict[str, Any]:
    options = [p for p in command.params if p.param_type_name == "option"]
    return {name: p for p in options for name in (*p.opts, *p.secondary_opts)} | {"--help": None}


def _leaf_problems(command: Any, words: list[str], complete: bool) -> Iterator[str]:
    options, given, positional = _options(command), set(), 0
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if not word.startswith("-"):
            positional += 1
        elif name not in options:
            yield f"no option {name}"
        else:
            given.add(name)
            option = options[name]
            if option is not None and not option.is_flag and not equals and next(rest, None) is None:
                yield f"{name} takes a value"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    if positional > len(arguments) and not any(p.nargs == -1 for p in arguments):
        yield f"takes {len(arguments)} arguments, not {positional}"
    if complete:
        if positional < sum(p.required for p in arguments):
            yield "an argument is missing"
        required = {p.opts[0]: {*p.opts} for p in options.values() if p is not None and p.required}
        yield from (f"{name} is missing" for name, names in required.items() if not given & names)


@pytest.fixture(scope="session")
def check_command() -> Checker:
    """`check_command(line, complete=...)`: what is wrong with a `saferoom ...` command line."""
    return _Reader().problems


@pytest.fixture(scope="session")
def commands_in() -> Callable[[Path], list[str]]:
    """The commands in a page's shell blocks."""
    return lambda page: shell_lines(page.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def quoted_in() -> Callable[[Path], list[str]]:
    """The commands quoted in a page's running text."""
    return lambda page: spans(page.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def fenced() -> Callable[..., list[str]]:
    """`fenced(text, "yaml")`: the contents of a page's fenced blocks."""
    return blocks
