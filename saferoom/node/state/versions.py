"""Versions of a node's state: which one a database has, and the way to this program's.

none        an empty database: it gets all tables at once
0001        what SafeRoom 0.1 made; it wrote no version down and is known by its tables
0002 …      one file each in `migrations/versions`; the database says which one it has

The state's version is its home's (docs/adr/0021-versions-of-a-home.md). A node only looks; what changes
tables is `saferoom home upgrade`. Alembic is loaded where tables are made or changed, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from saferoom import __version__
from saferoom.errors import ConfigError, StorageError
from saferoom.node.state.engine import changing_tables, looking
from saferoom.node.state.first import FIRST, differences

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
STEP = "open the state"


@dataclass(frozen=True, slots=True)
class Found:
    """What a database says of itself. `version` is empty where no table stands; 0.1 wrote none down."""

    version: str
    is_written: bool = True


def known_versions() -> tuple[str, ...]:
    """All versions that this program has, oldest first; the last one is its own."""
    files = (MIGRATIONS / "versions").glob("version_*.py")
    return tuple(sorted(file.stem.removeprefix("version_") for file in files))


def newest_version() -> str:
    return known_versions()[-1]


def prepare(url: str, home: Path | None = None) -> None:
    """Make the tables of an empty database; of any other check that its version is this program's.

    Raises ConfigError, naming `home`, if it is another; StorageError.
    """
    found = find_version(url)
    if found.version:
        _check_version(found, home)
    else:
        migrate(url)


def find_version(url: str) -> Found:
    """The version of the database at `url`. Raises ConfigError if its tables are of none; StorageError."""
    try:
        with looking(url) as connection:
            return _version_in(connection)
    except SQLAlchemyError as error:
        raise StorageError(
            "the node's state cannot be opened", step=STEP, remedy="check disk and permissions"
        ) from error


def migrate(url: str) -> None:
    """Bring the database at `url` to this program's version, in one transaction: all the way, or not at all.

    Raises StorageError; then nothing was changed.
    """
    try:
        with changing_tables(url) as connection:
            _migrate_in(connection)
    except Exception as error:  # whatever a migration raises of its own
        cause = type(error).__name__
        raise StorageError(
            f"the state could not be brought to version {newest_version()} ({cause}); it is as it was",
            step="change the state's tables",
            remedy="free disk space and see that no other program has the file open, then try again",
        ) from error


def pending(found: Found) -> list[str]:
    """What `migrate` would do to a database, a line a version, in order."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    steps = [*scripts.iterate_revisions("head", found.version or "base")]
    unwritten = [] if found.is_written else [f"{found.version}: write the version down"]
    return unwritten + [f"{step.revision}: {step.doc}" for step in reversed(steps)]


def is_newer(found: Found) -> bool:
    """Whether a database has a version that this program does not know: a newer one wrote it."""
    return bool(found.version) and found.version not in known_versions()


def refuse_newer(found: Found) -> None:
    """Raise ConfigError if a newer program has upgraded the home."""
    if is_newer(found):
        raise ConfigError(
            f"the home has version {found.version}; this program, SafeRoom {__version__}, knows versions up"
            f" to {newest_version()}",
            step=STEP,
            remedy="install the newer SafeRoom again, or go back to the copy of the state that its upgrade"
            " kept (docs/upgrading.md)",
        )


def _check_version(found: Found, home: Path | None) -> None:
    refuse_newer(found)
    if found.version != newest_version():
        raise ConfigError(
            f"the home has version {found.version}; this program, SafeRoom {__version__}, works with version"
            f" {newest_version()}",
            step=STEP,
            remedy=f"make a backup, then run `saferoom home upgrade --home {home or 'HOME'}`",
        )


def _version_in(connection: sa.Connection) -> Found:
    tables = _tables_in(connection)
    if VERSION_TABLE in tables:
        written = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
        return Found(str(written.scalar_one()))
    if not tables:
        return Found("")
    other = differences(tables)
    if other:
        raise ConfigError(
            f"the state has no version, and its tables are not those of version {FIRST}: {', '.join(other)}",
            step=STEP,
            remedy="put the newest backup of the home back, or open it with the SafeRoom that made it",
        )
    return Found(FIRST, is_written=False)


def _tables_in(connection: sa.Connection) -> dict[str, tuple[str, ...]]:
    """Names of columns by table."""
    inspector = sa.inspect(connection)
    names = inspector.get_table_names()
    return {name: tuple(column["name"] for column in inspector.get_columns(name)) for name in names}


def _migrate_in(connection: sa.Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    found = _version_in(connection)  # again: nobody else writes from here on
    if not found.is_written:
        command.stamp(config, found.version)
    command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
