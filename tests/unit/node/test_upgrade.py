"""A home of the first release: known, opened at any date, upgraded with everything that is in it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from saferoom.audit import verify_log
from saferoom.audit.evidence.search import Query, search
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.errors import ConfigError, SafeRoomError, StorageError, UsageError
from saferoom.jobs.home import Home
from saferoom.node import state as tables
from saferoom.node import upgrade as upgrades
from saferoom.node.core import Core
from saferoom.node.state import State
from saferoom.node.state.copies import copies_of, copy_state
from saferoom.node.state.tables import metadata
from saferoom.node.upgrade import look_at, upgrade
from saferoom.node.witnessing.standalone import WitnessHome
from tests.old_homes import NODES, home_of, program_of_tomorrow

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
COPY = "state-0001-20310506T070809Z.db"
RESULTS = b'"facts"'
"""Stands in what a job's row says of its results."""
DATES = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)]


def silent(_text: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(params=NODES)
def any_home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    return home_of(request.param, tmp_path)


@pytest.fixture
def bank(tmp_path: Path) -> Home:
    return home_of("bank", tmp_path)


def owners(state: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(state)) as database:
        return database.execute("SELECT owner, contract_id FROM jobs").fetchall()


def set_format(file: Path, number: int) -> None:
    with closing(sqlite3.connect(file)) as database:
        if file.name == "log.db":
            database.execute("UPDATE log SET version = ?", (number,))
            database.execute("CREATE TABLE novelty (id INTEGER)")
        else:
            database.execute(f"PRAGMA user_version = {number}")
        database.commit()


def test_a_home_of_0_1_is_known(any_home: Home) -> None:
    report = look_at(any_home)
    assert (report.version, report.program_version) == ("0001", "0001")
    assert report.verdict == upgrades.UNWRITTEN
    assert report.steps == ("0001: write the version down",)
    assert report.formats == {"log.db": "2", "witness.db": "0", "salts.db": "0"}
    assert not report.is_in_use and report.copies == ()
    assert look_at(any_home) == report


@pytest.mark.parametrize("date", DATES, ids=str)
def test_a_home_of_0_1_is_opened_without_an_upgrade(any_home: Home, date: datetime) -> None:
    core = Core(any_home, clock=lambda: date)
    jobs = core.state.rows(tables.jobs)
    core.close()
    assert sorted((row["kind"], row["state"]) for row in jobs) == [
        ("score", "finished"),
        ("train", "finished"),
    ]
    assert look_at(any_home).verdict == upgrades.UNWRITTEN


def test_an_upgrade_keeps_all_that_is_there(
    any_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_of_tomorrow(monkeypatch, tmp_path)
    assert look_at(any_home).verdict == upgrades.OLDER
    with pytest.raises(ConfigError, match="has version 0001"):
        Core(any_home)
    done = upgrade(any_home, NOW, silent)
    assert (done.was, done.version) == ("0001", "0002")
    assert done.steps == ("0001: write the version down", "0002: Jobs know their owner.")
    assert owners(any_home.state) == [(f"of {contract}", contract) for _, contract in owners(any_home.state)]
    assert look_at(any_home).verdict == upgrades.FITS
    core = Core(any_home, clock=lambda: NOW)
    try:
        (contract,) = [core.book.get(row["id"]) for row in core.book.rows()]
        assert set(core.book.signatures(contract.id)) == {"bank", "tax"}
        assert all(row["summary"] for row in core.state.rows(tables.jobs))
    finally:
        core.close()


def test_the_log_of_an_upgraded_home_verifies_and_is_searched(any_home: Home) -> None:
    before = any_home.log.read_bytes()
    upgrade(any_home, NOW, silent)
    assert any_home.log.read_bytes() == before
    key = any_home.log_key.read_text("ascii").strip()
    verdict = verify_log(any_home.log, [key])
    assert verdict.ok and verdict.size > 50
    reader = SqliteReader(any_home.log)
    found = list(search(reader, Query(types=("job.finished",))))
    reader.close()
    assert len(found) == 2


def test_models_and_scores_of_an_upgraded_home_are_read(bank: Home) -> None:
    upgrade(bank, NOW, silent)
    memory = State.of(bank)
    train, score = sorted(memory.rows(tables.jobs), key=lambda row: row["created"])
    memory.close()
    model = json.loads((bank.model(train["id"]) / "model.json").read_text("utf-8"))
    scores = (bank.model(score["id"]) / "scores.csv").read_text("utf-8").splitlines()
    assert model and len(scores) > 20


def test_the_copy_is_the_state_as_it_was(bank: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = State.of(bank)
    before = {table.name: memory.rows(table) for table in metadata.tables.values()}
    memory.close()
    heard: list[str] = []
    with monkeypatch.context() as patch:
        program_of_tomorrow(patch, tmp_path)
        done = upgrade(bank, NOW, heard.append)
    copy = bank.root / COPY
    assert done.copy == str(copy) and str(copy) in heard[0]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert look_at(bank).verdict == upgrades.NEWER
    assert look_at(bank).copies == (COPY,)
    copy.replace(bank.state)  # how one goes back
    memory = State.of(bank)
    assert {table.name: memory.rows(table) for table in metadata.tables.values()} == before
    memory.close()


def test_what_is_destroyed_is_destroyed_in_copies_too(bank: Home) -> None:
    upgrade(bank, NOW, silent)
    memory = State.of(bank)
    assert RESULTS in (bank.root / COPY).read_bytes()
    for row in memory.rows(tables.jobs):
        memory.forget_results(row["id"])
    memory.close()
    copies = sorted(bank.root.glob("state*"))
    assert {path.name for path in copies} >= {COPY, "state.db"}
    assert [path.name for path in copies if RESULTS in path.read_bytes()] == []
    with closing(sqlite3.connect(bank.root / COPY)) as copy:
        assert copy.execute("SELECT count(*) FROM jobs WHERE summary = 'null'").fetchone() == (2,)


def test_there_is_nothing_to_do_twice(bank: Home) -> None:
    upgrade(bank, NOW, silent)
    again = upgrade(bank, NOW.replace(year=2032), silent)
    assert (again.steps, again.copy, again.version) == ((), "", "0001")
    assert [path.name for path in copies_of(bank.state)] == [COPY]


def test_a_home_that_is_open_is_not_upgraded(bank: Home) -> None:
    with Core.opened(bank):
        assert look_at(bank).is_in_use
        with pytest.raises(StorageError, match="another writer") as caught:
            upgrade(bank, NOW, silent)
    assert "stop the other node process" in caught.value.remedy
    assert copies_of(bank.state) == []


def test_a_newer_home_is_not_touched(bank: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        program_of_tomorrow(patch, tmp_path)
        upgrade(bank, NOW, silent)
    before = bank.state.read_bytes()
    with pytest.raises(ConfigError, match="version 0002"):
        upgrade(bank, NOW.replace(year=2032), silent)
    with pytest.raises(ConfigError, match="version 0002"):
        Core(bank)
    assert bank.state.read_bytes() == before
    assert [path.name for path in copies_of(bank.state)] == [COPY]


@pytest.mark.parametrize("name", ["log", "witness", "salts"])
def test_newer_files_of_the_log_are_named_and_refused(bank: Home, name: str) -> None:
    file: Path = getattr(bank, name)
    set_format(file, 7)
    assert "has format 7" in look_at(bank).formats[file.name]
    for attempt in (lambda: upgrade(bank, NOW, silent), lambda: Core(bank)):
        with pytest.raises(SafeRoomError, match="has format 7") as caught:
            attempt()
        assert "SafeRoom" in caught.value.remedy
    assert copies_of(bank.state) == []


def test_a_failed_upgrade_leaves_the_state_and_names_the_copy(
    bank: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    with monkeypatch.context() as patch:
        program_of_tomorrow(patch, tmp_path, "raise ValueError('x')")
        with pytest.raises(StorageError, match="it is as it was"):
            upgrade(bank, NOW, heard.append)
    assert COPY in heard[0]
    assert look_at(bank).verdict == upgrades.UNWRITTEN
    Core(bank).close()


def test_a_damaged_state_is_not_upgraded(bank: Home) -> None:
    content = bytearray(bank.state.read_bytes())
    with closing(sqlite3.connect(bank.state)) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content[(page - 1) * size : page * size] = b"\xff" * size
    bank.state.write_bytes(bytes(content))
    with pytest.raises(StorageError, match="left as it is"):
        upgrade(bank, NOW, silent)
    assert bank.state.read_bytes() == bytes(content)
    assert [path.name for path in bank.root.glob("state-*")] == []


def test_what_a_broken_off_copy_left_is_destroyed(bank: Home) -> None:
    (bank.root / "state-0001-20300101T000000Z.part").write_bytes(b"half")
    copy = copy_state(bank.state, "0001", NOW)
    assert sorted(bank.root.glob("state-*")) == [copy]


def test_a_home_without_a_state_is_left_without(bank: Home) -> None:
    bank.state.unlink()
    assert look_at(bank).verdict == upgrades.NONE_YET
    assert upgrade(bank, NOW, silent).steps == ()
    assert not bank.state.exists()


def test_the_home_of_a_witness_is_told_apart(tmp_path: Path) -> None:
    WitnessHome.create(tmp_path / "witness", "example.org/auditor", None)
    home = Home.at(tmp_path / "witness")
    for attempt in (lambda: look_at(home), lambda: upgrade(home, NOW, silent)):
        with pytest.raises(UsageError, match="stand-alone witness"):
            attempt()
    with pytest.raises(ConfigError, match="holds no node"):
        look_at(Home.at(tmp_path / "nowhere"))
