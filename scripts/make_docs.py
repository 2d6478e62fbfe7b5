"""`make docs`: writes docs/commands.md, the reference of all commands, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from saferoom.cli.app import app

TARGET = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """\
# Commands

Written by `make docs` from the program's own help; a test holds it to that. Every command takes `--help`;
results go to standard output, talk to standard error. Exit codes: 0 done, 1 check failed, 2 usage, 3 peer or
network, 4 refused by contract or policy.
"""


def commands(group: Any, path: tuple[str, ...] = ("saferoom",)) -> Iterator[tuple[str, Any]]:
    """All commands below a group, in the order of its help."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def section(name: str, command: Any) -> str:
    """One command: what it does, its arguments and options."""
    lines = [f"## `{name}`", "", (command.help or "").strip(), ""]
    for parameter in command.params:
        if parameter.param_type_name == "option" and "--help" not in parameter.opts:
            lines.append(f"- `{', '.join(parameter.opts)}`: {parameter.help or ''}")
        elif parameter.param_type_name == "argument":
            lines.append(f"- `{(parameter.name or '').upper()}`: {parameter.help or ''}")
    return "\n".join(lines).rstrip() + "\n"


def page() -> str:
    """The whole page."""
    found = commands(typer.main.get_command(app))
    return "\n".join([HEAD, *(section(*item) for item in found)])


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
