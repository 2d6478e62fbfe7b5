"""An owner who changes the log: every column, every order, an export, and validly signed rewrites."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import AuditLog, Event, NoteSigner, VerdictKind, copy_log, export_folder, verify_log
from saferoom.audit.formats.canonical import decode, encode
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import leaf_hash
from saferoom.audit.formats.note import sign_note
from saferoom.audit.formats.tiles import TileBuilder
from saferoom.audit.log.opening import create
from saferoom.audit.log.sqlite import _SCHEMA, SqliteWriter
from saferoom.audit.log.store import Batch, Head

SIGNER = NoteSigner("saferoom/bank", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = [SIGNER.verifier_key]
EVENT = Event(
    event_id="0" * 32,
    type="disclosure",
    stage="sharing",
    time="2026-01-31T08:00:00.000Z",
    node="bank",
    software="saferoom",
    outcome="allowed",
)
SIZE = 600


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "log.sqlite"
    with AuditLog.open(path, origin=SIGNER.name, signer=SIGNER) as log:
        for first in range(0, SIZE, 200):
            log.append_many(
                replace(EVENT, event_id=f"{n:032x}", session=f"s-{n % 3}") for n in range(first, first + 200)
            )
    assert verify_log(path, KEYS).ok
    return path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    shutil.copy(original, tmp_path / "log.sqlite")
    return tmp_path / "log.sqlite"


def columns() -> list[tuple[str, str]]:
    """Every column of every table, read from the schema: a new one is covered without a change here."""
    with sqlite3.connect(":memory:") as db:
        db.executescript(_SCHEMA)
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        every = [(table, row[1]) for table in tables for row in db.execute(f"PRAGMA table_info({table})")]
        return [pair for pair in every if pair not in (("log", "id"), ("head", "id"))]  # constants


def run(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA ignore_check_constraints = ON")
    for statement in statements:
        assert db.execute(statement).rowcount != 0, statement
    db.commit()
    db.close()


@pytest.mark.parametrize(("table", "column"), columns())
@pytest.mark.parametrize("which", ["first", "last"])
def test_every_column_is_covered(path: Path, table: str, column: str, which: str) -> None:
    order = "ASC" if which == "first" else "DESC"
    changed = {
        "INTEGER": f"{column} + 1000",
        "TEXT": f"{column} || 'x'",
        "BLOB": f"CAST(substr({column}, 1, length({column}) - 1) || x'5a' AS BLOB)",
    }
    with sqlite3.connect(path) as db:
        kind = next(row[2] for row in db.execute(f"PRAGMA table_info({table})") if row[1] == column)
    db.close()
    run(
        path,
        f"UPDATE {table} SET {column} = {changed[kind]}"
        f" WHERE rowid = (SELECT rowid FROM {table} ORDER BY rowid {order} LIMIT 1)",
    )
    verdict = verify_log(path, KEYS)
    assert verdict.kind is VerdictKind.INVALID
    assert verdict.faults


@pytest.mark.parametrize("table", ["log", "head", "entry", "tile", "checkpoint", "session"])
def test_no_row_may_be_missing(path: Path, table: str) -> None:
    run(path, f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    assert verify_log(path, KEYS).kind is VerdictKind.INVALID


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entry SELECT 600, data FROM entry WHERE idx = 0",
        "INSERT INTO entry SELECT -1, data FROM entry WHERE idx = 0",
        "INSERT INTO tile VALUES (0, 77, x'00')",
        "INSERT INTO session VALUES ('invented', 0, zeroblob(32))",
        "INSERT INTO checkpoint SELECT 601, note FROM checkpoint WHERE size = 600",
        "INSERT INTO checkpoint SELECT 300, note FROM checkpoint WHERE size = 200",
        "DELETE FROM entry",
        "UPDATE entry SET data = CAST(data AS TEXT) WHERE idx = 5",
        "UPDATE tile SET number = 'one' WHERE level = 0 AND number = 1",
        "INSERT INTO tile VALUES (-1, 0, x'00')",
        "INSERT INTO checkpoint SELECT -1, note FROM checkpoint WHERE size = 0",
        "DROP TABLE session",
        "CREATE TABLE notes (text)",
        "CREATE TRIGGER late AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE idx = 0; END",
    ],
)
def test_rows_that_do_not_belong(path: Path, statement: str) -> None:
    run(path, statement)
    assert verify_log(path, KEYS).kind is VerdictKind.INVALID


def test_two_entries_swapped(path: Path) -> None:
    run(
        path,
        "UPDATE entry SET idx = -9 WHERE idx = 4",
        "UPDATE entry SET idx = 4 WHERE idx = 5",
        "UPDATE entry SET idx = 5 WHERE idx = -9",
    )
    assert verify_log(path, KEYS).kind is VerdictKind.INVALID


def entries_of(path: Path) -> list[bytes]:
    db = sqlite3.connect(path)
    rows = [data for (data,) in db.execute("SELECT data FROM entry ORDER BY idx")]
    db.close()
    return rows


def rebuild(path: Path, entries: list[bytes], signer: NoteSigner) -> Path:
    """What an owner with the key can do: a new log of changed entries, every signature valid."""
    writer = SqliteWriter(path)
    create(writer, signer)
    builder, before = TileBuilder(), Head()
    tiles = builder.extend([leaf_hash(data) for data in entries])
    note = Checkpoint(signer.name, len(entries), builder.root()).signed(signer)
    after = Head(len(entries), builder.root(), b"".join(builder.peaks()), note)
    writer.commit(Batch(before, after, entries, tiles, {}))
    writer.close()
    return path


def without_sessions(entries: list[bytes]) -> list[bytes]:
    return [encode({k: v for k, v in decode(data).items() if k != "session"}) for data in entries]


@pytest.fixture
def honest(path: Path, tmp_path: Path) -> tuple[list[bytes], str]:
    """An honest log's entries, and the checkpoint that an auditor took home."""
    entries = without_sessions(entries_of(path))
    rebuilt = rebuild(tmp_path / "honest.sqlite", entries, SIGNER)
    with AuditLog.open(rebuilt, origin=SIGNER.name, signer=SIGNER) as log:
        return entries, log.checkpoint()


REWRITES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "changed": lambda e: [*e[:9], e[9].replace(b'"allowed"', b'"refused"'), *e[10:]],
    "deleted": lambda e: e[:300] + e[301:],
    "deleted and filled up": lambda e: [*e[:300], *e[301:], e[-1]],
    "swapped": lambda e: [e[1], e[0], *e[2:]],
    "inserted": lambda e: [e[0], *e],
    "truncated": lambda e: e[:-1],
}


@pytest.mark.parametrize("name", REWRITES)
def test_a_validly_signed_rewrite_diverges_from_what_the_auditor_holds(
    honest: tuple[list[bytes], str], tmp_path: Path, name: str
) -> None:
    entries, seen = honest
    rewritten = rebuild(tmp_path / "new.sqlite", REWRITES[name](entries), SIGNER)
    alone = verify_log(rewritten, KEYS)
    assert alone.kind is VerdictKind.CONSISTENT
    assert "could have rewritten" in alone.not_proved
    verdict = verify_log(rewritten, KEYS, seen=[seen])
    assert verdict.kind is VerdictKind.DIVERGED
    assert verdict.exit_code() == 12


def test_an_honest_log_agrees_with_what_the_auditor_holds(
    honest: tuple[list[bytes], str], tmp_path: Path
) -> None:
    entries, seen = honest
    longer = rebuild(tmp_path / "longer.sqlite", [*entries, entries[0]], SIGNER)
    assert verify_log(longer, KEYS, seen=[seen, seen]).kind is VerdictKind.CONSISTENT


def test_a_restored_old_copy_diverges(path: Path, tmp_path: Path) -> None:
    copy_log(path, tmp_path / "backup.sqlite")
    with AuditLog.open(path, origin=SIGNER.name, signer=SIGNER) as log:
        log.append(EVENT)
        seen = log.checkpoint()
    assert verify_log(tmp_path / "backup.sqlite", KEYS).kind is VerdictKind.CONSISTENT
    verdict = verify_log(tmp_path / "backup.sqlite", KEYS, seen=[seen])
    assert verdict.kind is VerdictKind.DIVERGED
    assert "old copy" in verdict.faults[0]


def test_a_rewrite_under_another_key_is_invalid(honest: tuple[list[bytes], str], tmp_path: Path) -> None:
    entries, seen = honest
    thief = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
    forged = rebuild(tmp_path / "forged.sqlite", entries, thief)
    assert verify_log(forged, KEYS).kind is VerdictKind.INVALID
    # Even without a key of his own the auditor's checkpoint shows it.
    assert verify_log(forged, seen=[seen]).kind is VerdictKind.INVALID


def test_signed_entries_are_still_held_to_the_schema(tmp_path: Path) -> None:
    good = {"v": 1, "event_id": "0" * 32, "type": "node.started", "stage": "use", "outcome": "allowed",
            "time": "2026-01-31T08:00:00.000Z", "node": "bank", "software": "saferoom"}  # fmt: skip
    link = {"id": "s", "seq": 0, "prev_hash": "0" * 64}
    bad = [
        json.dumps(good).encode(),
        encode(good | {"extra": "field"}),
        encode(good | {"reason": "code 91510100MA62K3X7Y0 was refused"}),
        encode(good | {"session": link | {"seq": 1}}),
        encode(good | {"session": link | {"prev_hash": "1" * 64}}),
        b"\xff\xfe",
    ]
    for number, data in enumerate(bad):
        path = rebuild(tmp_path / f"{number}.sqlite", [encode(good), data], SIGNER)
        assert verify_log(path, KEYS).faults[0].startswith("entry 1:")


@pytest.mark.parametrize("name", ["log.json", "entries.jsonl", "checkpoints.jsonl"])
def test_every_file_of_an_export_is_covered(path: Path, tmp_path: Path, name: str) -> None:
    export_folder(path, tmp_path / "out")
    file = tmp_path / "out" / name
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    middle = lines[len(lines) // 2]
    forms = {
        "cut": whole[:-1],
        "empty": b"",
        "changed": whole.replace(middle, middle.replace(b"saferoom", b"saferooms", 1), 1),
        "garbage": whole + b"{\n",
        "last line gone": b"".join(lines[:-1]),
        "twice": whole + lines[-1],
        "reversed": b"".join(reversed(lines)),
    }
    for form, content in forms.items():
        if content == whole or (name == "log.json" and form in ("garbage", "twice")):
            continue
        file.write_bytes(content)
        assert verify_log(tmp_path / "out", KEYS).kind is VerdictKind.INVALID, form
    file.unlink()
    assert verify_log(tmp_path / "out", KEYS).kind is VerdictKind.INVALID


def test_a_checkpoint_of_another_log_is_no_help(path: Path) -> None:
    other = NoteSigner("saferoom/tax", SIGNER.private_key)
    note = sign_note(Checkpoint("saferoom/tax", 0, bytes(32)).text(), other)
    assert verify_log(path, [*KEYS, other.verifier_key], seen=[note]).kind is VerdictKind.INVALID
