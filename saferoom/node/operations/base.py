"""How a verb is declared, and how a node answers to it.

A verb takes plain arguments and yields plain results; the last one is the answer. The daemon serves
them on its socket; while it is down the command line opens the home itself and serves those that need
no daemon.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from saferoom.errors import UsageError
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party

Plain: TypeAlias = dict[str, Any]
Method: TypeAlias = Callable[[Any, Plain], Plain | Iterator[Plain]]
MethodT = TypeVar("MethodT", bound=Method)
Daemon = TypeVar("Daemon", bound=Party | Coordinator)

_NAME = "_verb_name"


def verb(name: str) -> Callable[[MethodT], MethodT]:
    """Declare a method of a noun as the verb of that name. One answer is returned, a stream is yielded."""

    def declare(method: MethodT) -> MethodT:
        setattr(method, _NAME, name)
        return method

    return declare


def argument(args: Mapping[str, Any], name: str) -> Any:
    """An argument that must be there."""
    if name not in args:
        raise UsageError(f"the argument {name!r} is missing")
    return args[name]


def officer(args: Mapping[str, Any]) -> str:
    """On whose behalf a party's node is asked, as its log names them."""
    return str(args.get("by", "data officer"))


def not_up(role: str) -> UsageError:
    """What somebody hears who asks a node for what only its daemon can do, while that is down."""
    who = "the coordinator" if role == "coordinator" else "the node"
    return UsageError(f"{who} is not up", remedy=f"start it with `saferoom {role} up`")


def locked(daemon: Party | None) -> AbstractContextManager[object]:
    """The node's lock; without a daemon this process has the home to itself."""
    return daemon.lock() if daemon else nullcontext()


class Noun(Generic[Daemon]):
    """Verbs about one thing. Keeps nothing between two calls; `daemon` is None while the node is down."""

    def __init__(self, core: Core, daemon: Daemon | None) -> None:
        self.core = core
        self.daemon = daemon

    def running(self) -> Daemon:
        """The daemon. Raises UsageError if the node is down."""
        if self.daemon is None:
            raise not_up(self.core.settings.role)
        return self.daemon


@dataclass(frozen=True, slots=True)
class Verb(Generic[Daemon]):
    """A verb, and the noun that declares it."""

    name: str
    noun: type[Noun[Daemon]]
    method: Method

    def run(self, core: Core, daemon: Daemon | None, args: Plain) -> Iterator[Plain]:
        """Its answers; nothing happens before the first is asked for."""
        found = self.method(self.noun(core, daemon), args)
        if isinstance(found, Iterator):
            yield from found
        else:
            yield found


def verbs_of(nouns: Iterable[type[Noun[Daemon]]]) -> dict[str, Verb[Daemon]]:
    """All verbs of some nouns, by name. Raises UsageError if two have the same name."""
    found: dict[str, Verb[Daemon]] = {}
    for one in (one for noun in nouns for one in _declared(noun)):
        if one.name in found:
            first = found[one.name].noun.__name__
            raise UsageError(
                f"the verb {one.name!r} is declared by {first} and again by {one.noun.__name__}",
                remedy="keep one of the two, or give one another name",
            )
        found[one.name] = one
    return found


def _declared(noun: type[Noun[Daemon]]) -> Iterator[Verb[Daemon]]:
    """The verbs of a noun, its base classes' too."""
    for _, method in inspect.getmembers(noun, inspect.isfunction):
        name = getattr(method, _NAME, None)
        if name is not None:
            yield Verb(name, noun, method)


class Operations(Generic[Daemon]):
    """What one node answers to: the verbs of its role's nouns. `daemon` is None while it is down."""

    def __init__(self, core: Core, daemon: Daemon | None, nouns: Iterable[type[Noun[Daemon]]]) -> None:
        self._core = core
        self._daemon = daemon
        self._verbs = verbs_of(nouns)

    def handle(self, verb: str, args: Plain) -> Iterator[Plain]:
        """Run a verb. Raises UsageError if this kind of node has none of that name."""
        if verb not in self._verbs:
            role = self._core.settings.role
            raise UsageError(
                f"a {role}'s node does not do {verb!r}",
                party=self._core.me,
                remedy="name the home of another node with --home, or see `saferoom --help`",
            )
        return self._verbs[verb].run(self._core, self._daemon, args)
