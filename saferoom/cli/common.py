"""What all commands share: the home option, asking the node, showing answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console
from rich.table import Table

from saferoom.errors import PeerError
from saferoom.link.admin import admin_call, socket_path
from saferoom.node.coordinator_operations import CoordinatorOperations
from saferoom.node.core import Core
from saferoom.node.home import Home
from saferoom.node.operations import Plain
from saferoom.node.party_operations import PartyOperations
from saferoom.node.settings import load_settings

HomeOption: TypeAlias = Annotated[
    Path, typer.Option("--home", envvar="SAFEROOM_HOME", help="The node's home folder.", show_envvar=True)
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
LangOption: TypeAlias = Annotated[str, typer.Option("--lang", help="zh or en; default: from the locale.")]
PassphraseOption: TypeAlias = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File whose first line is the keys' passphrase.")
]
DEFAULT_HOME = Path("saferoom-home")

talk = Console(stderr=True, highlight=False)
results = Console(highlight=False, soft_wrap=True)


def default_language() -> str:
    """zh if the locale says so, otherwise en."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def passphrase(file: Path | None) -> str | None:
    """From the file, or from SAFEROOM_PASSPHRASE; None if keys are not encrypted."""
    if file is not None:
        return file.read_text(encoding="utf-8").splitlines()[0]
    return os.environ.get("SAFEROOM_PASSPHRASE")


def ask(home: Path, verb: str, args: Plain | None = None) -> Plain:
    """The node's answer to a verb."""
    answer: Plain = {}
    for answer in ask_stream(home, verb, args):  # noqa: B007 - the last item is the answer
        pass
    return answer


def ask_stream(home: Path, verb: str, args: Plain | None = None) -> Iterator[Plain]:
    """All a verb yields: from the daemon if it is up, otherwise from the home itself."""
    place = Home.at(home)
    place.check()
    socket = socket_path(place.root)
    if socket.exists():
        try:
            yield from admin_call(socket, verb, args or {})
            return
        except PeerError as error:
            if error.step != "admin":
                raise
    core = Core(place, passphrase(None))
    try:
        role = load_settings(place.settings).role
        operations = PartyOperations(core, None) if role == "party" else CoordinatorOperations(core, None)
        yield from operations.handle(verb, args or {})
    finally:
        core.close()


def show(answer: Plain, as_json: bool) -> None:
    """Print an answer: JSON, or one line a key."""
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for key, value in answer.items():
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        results.print(f"{key:>16}  {text}", markup=False)


def show_table(rows: Sequence[Plain], columns: Sequence[str], as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        print(json.dumps(list(rows), ensure_ascii=False, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    results.print(table if rows else "none")


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
