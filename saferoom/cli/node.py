"""Asking a node: its daemon if it is up, otherwise its home, opened here.

Rooms that take long to load are imported where they are used: with a daemon up, a command answers at once.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

import typer

from saferoom.cli.options import DEFAULT_HOME, HomeOption, JsonOption, PassphraseOption, passphrase
from saferoom.cli.output import Plain, pair_lines, print_json, print_lines
from saferoom.errors import PeerError, StorageError, UsageError

if TYPE_CHECKING:
    from saferoom.jobs.home import Home
    from saferoom.node.core import Core

STARTING_S = 10.0

Role = Literal["party", "coordinator"]
Lines = Callable[[Any], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Node:
    """The node of the home that a command names, and how the command shall answer."""

    home: Path
    passphrase_file: Path | None
    as_json: bool

    def ask(self, verb: str, **args: Any) -> Plain:
        """The node's answer to a verb."""
        answer: Plain = {}
        for answer in self.stream(verb, **args):  # noqa: B007 - the last item is the answer
            pass
        return answer

    def stream(self, verb: str, **args: Any) -> Iterator[Plain]:
        """All that a verb yields; the last item is the answer."""
        from saferoom.link.admin import admin_call, socket_path

        place = own_home(self.home)
        socket, deadline = socket_path(place.root), time.monotonic() + STARTING_S
        while True:
            try:
                yield from admin_call(socket, verb, args)
                return
            except PeerError as error:
                if error.step != "admin":  # else nobody answers: the node is down, or about to be up
                    raise
            core = self._open(place, last_try=time.monotonic() > deadline)
            if core is not None:
                yield from _answer_here(core, verb, args)
                return
            time.sleep(0.1)

    def show(self, answer: Plain | list[Plain], lines: Lines = pair_lines) -> None:
        """Print an answer: JSON, or lines for people."""
        if self.as_json:
            print_json(answer)
        else:
            print_lines(lines(answer))

    def _open(self, place: Home, *, last_try: bool) -> Core | None:
        """The node's home, opened here; None if another process has it open: a starting daemon, mostly."""
        from saferoom.node.core import Core

        word = passphrase(place.root, self.passphrase_file)
        try:
            return Core(place, word)
        except StorageError as error:
            if last_try or error.step != "audit log":
                raise
        return None


def own_home(home: Path) -> Home:
    """The home that a command names. Raises ConfigError if no node lives there."""
    from saferoom.jobs.home import Home

    place = Home.at(home)
    place.check()
    return place


def _answer_here(core: Core, verb: str, args: Plain) -> Iterator[Plain]:
    from saferoom.node.operations.roles import coordinator_operations, party_operations

    try:
        is_party = core.settings.role == "party"
        handle = (
            party_operations(core, None).handle if is_party else coordinator_operations(core, None).handle
        )
        yield from handle(verb, args)
    finally:
        core.close()


def node_command(app: typer.Typer, example: str, name: str | None = None) -> Callable[[Any], Any]:
    """Register `function(node, …)` as a command with --home, --passphrase-file and --json besides its own."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        _, *own = inspect.signature(function).parameters.values()

        def command(home: Path, passphrase_file: Path | None, as_json: bool, **given: Any) -> None:
            function(Node(home, passphrase_file, as_json), **given)

        resolved = [parameter.replace(annotation=hints[parameter.name]) for parameter in own]
        signature = inspect.Signature([*_keyword_only(resolved), *_SHARED])
        command.__signature__ = signature  # type: ignore[attr-defined]  # how typer learns the options
        command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        app.command(name, epilog=f"Example: {example}")(command)
        return function

    return register


def _keyword_only(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]


_SHARED = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (
        ("home", DEFAULT_HOME, HomeOption),
        ("passphrase_file", None, PassphraseOption),
        ("as_json", False, JsonOption),
    )
]


def require_role(home: Path, role: Role) -> None:
    """Raise UsageError if the home belongs to the other kind of node."""
    from saferoom.node.settings import load_settings

    place = own_home(home)
    found = load_settings(place.settings).role
    if found != role:
        raise UsageError(
            f"{place.root} is the home of a {found}, not of a {role}",
            remedy=f"use `saferoom {found} …`, or name another --home",
        )
