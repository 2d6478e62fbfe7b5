"""Versions of the state: made, known, refused, changed whole or not at all."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from saferoom import __version__
from saferoom.errors import ConfigError, StorageError
from saferoom.node import state as tables
from saferoom.node.state import State, versions
from saferoom.node.state.first import COLUMNS, FIRST, differences
from saferoom.node.state.migrations.versions import version_0001
from saferoom.node.state.tables import metadata
from saferoom.node.state.versions import Found
from tests.old_homes import home_of, program_of_tomorrow, second_version
from tests.waiting import until

POSTGRES = os.environ.get("SAFEROOM_POSTGRES_URL", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    if not POSTGRES:
        pytest.skip("SAFEROOM_POSTGRES_URL names no empty database")
    yield POSTGRES
    engine = sa.create_engine(POSTGRES)
    found = sa.MetaData()
    found.reflect(engine)
    found.drop_all(engine)
    engine.dispose()


@pytest.fixture
def old(tmp_path: Path) -> str:
    """The state of a bank as 0.1 left it."""
    return home_of("bank", tmp_path).state_url


def without_version(url: str) -> None:
    """As if SafeRoom 0.1 had made it."""
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")


def columns_in(url: str) -> dict[str, tuple[str, ...]]:
    inspector = sa.inspect(sa.create_engine(url))
    return {
        name: tuple(column["name"] for column in inspector.get_columns(name))
        for name in inspector.get_table_names()
        if name != versions.VERSION_TABLE
    }


def put_job(memory: State, job: str) -> None:
    memory.put(tables.jobs, id=job, contract_id="c", kind="train", params={}, state="running", created=0.0)


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with sa.create_engine(url).connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_migrations_make_the_tables_that_the_program_uses(url: str) -> None:
    State(url).close()
    with sa.create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert versions.find_version(url) == Found(versions.newest_version())


def test_a_column_without_a_migration_would_be_found(url: str) -> None:
    State(url).close()
    wanted = sa.MetaData()
    for table in metadata.tables.values():
        table.to_metadata(wanted)
    wanted.tables["jobs"].append_column(sa.Column("owner", sa.String))
    with sa.create_engine(url).connect() as connection:
        (found,) = compare_metadata(MigrationContext.configure(connection), wanted)
    assert found[0] == "add_column"


def test_the_names_of_the_files_are_the_chain_of_versions() -> None:
    config = Config()
    config.set_main_option("script_location", str(versions.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    chain = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(chain)) == versions.known_versions()
    assert all(script.doc for script in scripts.walk_revisions())


def test_version_0001_is_what_the_first_release_made(tmp_path: Path, old: str) -> None:
    made = f"sqlite:///{tmp_path / 'made.db'}"
    with sa.create_engine(made).begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            version_0001.upgrade()
    assert differences(columns_in(made)) == differences(columns_in(old)) == []
    assert set(COLUMNS) == set(columns_in(old))
    with sa.create_engine(old).connect() as connection:
        reflected = sa.MetaData()
        reflected.reflect(sa.create_engine(made))
        assert compare_metadata(MigrationContext.configure(connection), reflected) == []


def test_the_tables_can_be_written_for_postgresql() -> None:
    text = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": text}
    )
    with Operations.context(context):
        version_0001.upgrade()
    assert text.getvalue().count("CREATE TABLE") == len(COLUMNS)
    assert "canonical BYTEA NOT NULL" in text.getvalue()


def test_a_state_of_0_1_is_opened_and_left_as_it_is(old: str) -> None:
    file = Path(old.removeprefix("sqlite:///"))
    before = file.read_bytes()
    memory = State(old)
    assert [row["state"] for row in memory.rows(tables.jobs)] == ["finished", "finished"]
    memory.close()
    assert file.read_bytes() == before
    assert versions.find_version(old) == Found(FIRST, is_written=False)


def test_the_version_of_a_state_of_0_1_is_written_down(url: str) -> None:
    memory = State(url)
    put_job(memory, "j")
    memory.close()
    without_version(url)
    assert versions.pending(versions.find_version(url)) == ["0001: write the version down"]
    versions.migrate(url)
    assert versions.find_version(url) == Found(FIRST)
    assert State(url).get(tables.jobs, "j", "job")["kind"] == "train"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DROP TABLE permits", "permits, permits.contract_id"),
        ("ALTER TABLE jobs ADD COLUMN owner VARCHAR", "jobs.owner"),
        ("CREATE TABLE notes (text VARCHAR)", "notes, notes.text"),
    ],
)
def test_other_tables_without_a_version_are_refused(url: str, change: str, named: str) -> None:
    State(url).close()
    without_version(url)
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql(change)
    with pytest.raises(ConfigError, match="tables are not those of version 0001") as caught:
        State(url)
    assert named in caught.value.message and "backup" in caught.value.remedy


def test_a_newer_state_is_refused_and_left_as_it_is(url: str) -> None:
    State(url).close()
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0009'")
    with pytest.raises(ConfigError) as caught:
        State(url)
    assert "version 0009" in caught.value.message
    assert f"SafeRoom {__version__}, knows versions up to 0001" in caught.value.message
    assert "install the newer SafeRoom" in caught.value.remedy
    assert caught.value.exit_code == 2
    with pytest.raises(StorageError):
        versions.migrate(url)
    assert versions.find_version(url) == Found("0009")


def test_an_older_state_is_refused_and_left_as_it_is(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    State(url).close()
    program_of_tomorrow(monkeypatch, tmp_path)
    with pytest.raises(ConfigError, match="has version 0001; this program") as caught:
        State(url, home=tmp_path)
    assert f"`saferoom home upgrade --home {tmp_path}`" in caught.value.remedy
    assert "owner" not in columns_in(url)["jobs"]


@pytest.mark.parametrize("is_written", [True, False])
def test_a_migration_changes_tables_and_rows(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    memory = State(url)
    put_job(memory, "j")
    memory.close()
    if not is_written:
        without_version(url)
    program_of_tomorrow(monkeypatch, tmp_path)
    found = versions.find_version(url)
    assert versions.pending(found)[-1] == "0002: Jobs know their owner."
    versions.migrate(url)
    assert versions.find_version(url) == Found("0002")
    assert rows(url, "SELECT id, owner FROM jobs") == [("j", "of c")]
    assert State(url).get(tables.jobs, "j", "job")["contract_id"] == "c"


def test_a_migration_that_fails_changes_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = State(url)
    put_job(memory, "j")
    memory.close()
    without_version(url)
    with monkeypatch.context() as patch:
        program_of_tomorrow(patch, tmp_path, "raise ValueError('91510107MY06NRRG10')")
        with pytest.raises(StorageError, match=r"0002 \(ValueError\); it is as it was") as caught:
            versions.migrate(url)
    assert "9151" not in str(caught.value)
    assert columns_in(url) == {name: tuple(names) for name, names in COLUMNS.items()}
    assert versions.find_version(url) == Found(FIRST, is_written=False)
    assert State(url).get(tables.jobs, "j", "job")["kind"] == "train"


KILLED = """
import sys, time
from pathlib import Path
from saferoom.node.state import versions
versions.MIGRATIONS = Path(sys.argv[1])
versions.migrate(sys.argv[2])
"""


def test_a_migration_that_is_killed_half_way_changes_nothing(
    old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = tmp_path / "reached"
    waits = f"__import__('pathlib').Path({str(reached)!r}).touch(); __import__('time').sleep(600)"
    migrations = second_version(tmp_path, waits)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(migrations), old])
    until(lambda: reached.exists() or process.poll() is not None, "half of the migration")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert columns_in(old) == {name: tuple(names) for name, names in COLUMNS.items()}
    assert [row["state"] for row in State(old).rows(tables.jobs)] == ["finished", "finished"]
    program_of_tomorrow(monkeypatch, tmp_path / "again")
    versions.migrate(old)
    assert {owner for (owner,) in rows(old, "SELECT owner FROM jobs")} == {
        f"of {contract}" for (contract,) in rows(old, "SELECT id FROM contracts")
    }


def test_many_may_open_a_new_state_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: State(url), range(4)))
    for number, memory in enumerate(opened):
        put_job(memory, str(number))
    assert len(opened[0].rows(tables.jobs)) == 4
    assert versions.find_version(url) == Found(versions.newest_version())


def test_a_state_that_fits_is_opened_without_alembic(old: str) -> None:
    code = (
        "import sys; from saferoom.node.state import State; State(sys.argv[1]).close();"
        "print([name for name in sys.modules if name.split('.')[0] in ('alembic', 'grpc', 'sklearn')])"
    )
    found = subprocess.run([sys.executable, "-c", code, old], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
