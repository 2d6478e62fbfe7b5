"""Files that a newer program wrote are refused by name of their format, not taken for damaged ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from saferoom.audit.log.commitments import SaltStore, find_commitments
from saferoom.audit.log.sqlite import SqliteReader, format_beside_log
from saferoom.audit.witness.memory import WitnessStore
from saferoom.errors import StorageError, VerificationError
from tests.witness_room import open_log

OPENINGS: list[Callable[[Path], object]] = [
    SaltStore,
    WitnessStore,
    format_beside_log,
    lambda file: find_commitments(file, "91510107MY06NRRG10"),
]


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_file_beside_the_log(tmp_path: Path, opening: Callable[[Path], object]) -> None:
    file = tmp_path / "file.db"
    change(file, "PRAGMA user_version = 1")
    before = file.read_bytes()
    with pytest.raises(StorageError, match="has format 1; this program knows format 0") as caught:
        opening(file)
    assert "newer SafeRoom" in caught.value.remedy
    assert file.read_bytes() == before


def test_the_format_of_today(tmp_path: Path) -> None:
    WitnessStore(tmp_path / "witness.db").close()
    SaltStore(tmp_path / "salts.db").close()
    assert [format_beside_log(tmp_path / name) for name in ("witness.db", "salts.db")] == [0, 0]


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (("UPDATE log SET version = 3",), "the log has format 3; this program reads formats 1 and 2"),
        (("UPDATE log SET version = 3", "CREATE TABLE novelty (id)"), "the log has format 3"),
        (("CREATE TABLE novelty (id)",), "tables are not those of an audit log"),
        (("UPDATE log SET version = 1",), "tables are not those of an audit log"),
        (("ALTER TABLE log ADD COLUMN more",), "tables are not those of an audit log"),
    ],
)
def test_a_log(tmp_path: Path, statements: tuple[str, ...], message: str) -> None:
    file = tmp_path / "log.db"
    open_log(file).close()
    change(file, *statements)
    reader = SqliteReader(file)
    with pytest.raises(VerificationError, match=message):
        reader.identity()
    reader.close()
