"""A home and this program: whether their versions fit, and how the home is brought to the program's.

The version of a home is that of its state. The files of the log, of the witness and of the salts have
formats of their own, which the room `audit` knows: they are looked at here, and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from saferoom import __version__
from saferoom.audit.log.sqlite import SqliteReader, format_beside_log, without_writer
from saferoom.errors import SafeRoomError, StorageError, UsageError
from saferoom.jobs.home import Home
from saferoom.node.settings import load_settings
from saferoom.node.state import versions
from saferoom.node.state.copies import copies_of, copy_state
from saferoom.node.state.versions import Found
from saferoom.node.witnessing.standalone import WitnessHome

FITS = "fits this program"
UNWRITTEN = "fits this program, and is not written down yet: `saferoom home upgrade` does that"
OLDER = "older than this program: stop the node, make a backup, run `saferoom home upgrade`"
NEWER = "newer than this program: install the newer SafeRoom again (docs/upgrading.md)"
NONE_YET = "no state yet: it is made when the node is first opened"


@dataclass(frozen=True, slots=True)
class HomeReport:
    """What a home says of itself, and what an upgrade would do (`steps`). No version: no state yet."""

    home: str
    role: str
    node: str
    version: str
    program: str
    program_version: str
    verdict: str
    steps: tuple[str, ...]
    formats: dict[str, str]
    copies: tuple[str, ...]
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did. Without `steps` there was nothing to do, and `copy` is empty."""

    home: str
    was: str
    version: str
    steps: tuple[str, ...] = ()
    copy: str = ""


def look_at(home: Home) -> HomeReport:
    """Changes nothing. Raises ConfigError, UsageError if no node lives there, StorageError."""
    check_node_home(home)
    settings, found = load_settings(home.settings), _find(home)
    return HomeReport(
        home=str(home.root),
        role=settings.role,
        node=settings.node_id,
        version=found.version,
        program=__version__,
        program_version=versions.newest_version(),
        verdict=_verdict(found),
        steps=tuple(_steps(found)),
        formats=dict(_formats(home)),
        copies=tuple(path.name for path in copies_of(home.state)),
        is_in_use=_is_in_use(home),
    )


def upgrade(home: Home, now: datetime, told: Callable[[str], None]) -> Upgraded:
    """Bring a home to this program's version, after keeping a copy of its state.

    `told` hears what is done before it is done. Raises StorageError if the node is up, or if it fails:
    the state is then as it was. Raises ConfigError if the home is newer than the program.
    """
    check_node_home(home)
    with without_writer(home.log):
        for path, read in _files_of_audit(home):
            read(path)
        found = _find(home)
        versions.refuse_newer(found)
        steps = _steps(found)
        if not steps:
            return Upgraded(str(home.root), found.version, found.version)
        copy = copy_state(home.state, found.version, now)
        told(f"the state as it was is kept as {copy}")
        for step in steps:
            told(f"to version {step}")
        versions.migrate(home.state_url)
    return Upgraded(str(home.root), found.version, versions.newest_version(), tuple(steps), str(copy))


def check_node_home(home: Home) -> None:
    """Raise UsageError if a stand-alone witness lives there, ConfigError if nobody does."""
    if not home.settings.exists() and WitnessHome(home.root).is_there():
        raise UsageError(
            f"{home.root} is the home of a stand-alone witness, not of a node: it has no state, and its"
            " files need no upgrade",
            remedy="install the new SafeRoom and start the witness again",
        )
    home.check()


def _find(home: Home) -> Found:
    # Opening a database makes its file: a home without state is left without.
    return versions.find_version(home.state_url) if home.state.exists() else Found("")


def _steps(found: Found) -> list[str]:
    return versions.pending(found) if found.version and not versions.is_newer(found) else []


def _verdict(found: Found) -> str:
    if not found.version:
        return NONE_YET
    if versions.is_newer(found):
        return NEWER
    if found.version != versions.newest_version():
        return OLDER
    return FITS if found.is_written else UNWRITTEN


def _log_format(path: Path) -> int:
    reader = SqliteReader(path)
    try:
        return reader.identity().version
    finally:
        reader.close()


def _files_of_audit(home: Home) -> Iterator[tuple[Path, Callable[[Path], int]]]:
    """Each that is there, and what reads its format."""
    files = ((home.log, _log_format), (home.witness, format_beside_log), (home.salts, format_beside_log))
    yield from ((path, read) for path, read in files if path.exists())


def _formats(home: Home) -> Iterator[tuple[str, str]]:
    """Name and format of each of audit's files, or why that cannot be told."""
    for path, read in _files_of_audit(home):
        try:
            yield path.name, str(read(path))
        except SafeRoomError as error:
            yield path.name, error.message


def _is_in_use(home: Home) -> bool:
    try:
        with without_writer(home.log):
            return False
    except StorageError:
        return True
