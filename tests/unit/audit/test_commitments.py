"""Commitments are found with their salt, and by nobody once it is erased."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from saferoom.audit import AuditLog, Recorder, SaltStore, subject_commitment, verify_log
from saferoom.audit.log.commitments import find_commitments, is_about
from saferoom.errors import StorageError
from saferoom.ids import uscc_check_character

BODY = "91510100MA62K3X7Y"
CODE = BODY + uscc_check_character(BODY)


def test_a_commitment_is_salted_and_found(tmp_path: Path) -> None:
    with SaltStore(tmp_path / "salts.sqlite") as salts:
        first, second = salts.commit("enterprise 1"), salts.commit("enterprise 1")
        other = salts.commit("enterprise 2")
        assert len({first, second, other}) == 3
        assert sorted(salts.find("enterprise 1")) == sorted([first, second])
        assert salts.find("enterprise 3") == []
    with SaltStore(tmp_path / "salts.sqlite") as again:
        assert again.find("enterprise 2") == [other]


def test_the_formula() -> None:
    assert subject_commitment(b"s" * 32, "值") == sha256(b"s" * 32 + "值".encode()).hexdigest()


def test_erasing_unlinks_and_proofs_still_hold(
    tmp_path: Path, log: AuditLog, recorder: Recorder, path: Path
) -> None:
    store = tmp_path / "salts.sqlite"
    with SaltStore(store) as salts:
        commitment = salts.commit("enterprise 1")
        kept = salts.commit("enterprise 2")
        recorder.record("score.one", subject_commit=commitment)
        salt = salts.salt_of(commitment)
        assert salt and is_about(commitment, salt, " enterprise 1")
        assert salt in store.read_bytes()
        assert salts.erase("enterprise 1") == 1
        assert salts.find("enterprise 1") == []
        assert salts.salt_of(commitment) is None
        assert salts.find("enterprise 2") == [kept]
        for file in tmp_path.iterdir():
            assert salt not in file.read_bytes(), file.name
    assert verify_log(path, [log.verifier_key]).ok


def test_a_journal_that_a_crash_left_is_overwritten(tmp_path: Path) -> None:
    store = tmp_path / "salts.sqlite"
    with SaltStore(store) as salts:
        salt = salts.salt_of(salts.commit("enterprise 1"))
        salts._overwrite_journal = lambda: None  # type: ignore[method-assign]
        salts.erase("enterprise 1")
    journal = tmp_path / "salts.sqlite-journal"
    assert salt and salt in journal.read_bytes()
    SaltStore(store).close()
    assert salt not in journal.read_bytes()


def test_a_code_has_one_spelling(tmp_path: Path) -> None:
    with SaltStore(tmp_path / "salts.sqlite") as salts:
        commitment = salts.commit(CODE)
        spelled = f"{CODE[:6]} {CODE[6:].lower()}"
        assert salts.find(spelled) == [commitment]
        assert find_commitments(tmp_path / "salts.sqlite", spelled) == [commitment]
    for file in tmp_path.iterdir():
        assert CODE.encode() not in file.read_bytes()


def test_who_only_looks_makes_nothing(tmp_path: Path) -> None:
    assert find_commitments(tmp_path / "salts.sqlite", CODE) == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "broken").write_bytes(b"no database, but long enough to be read as one" * 20)
    with pytest.raises(StorageError):
        find_commitments(tmp_path / "broken", CODE)


def test_it_is_private_and_says_when_it_cannot_be_opened(tmp_path: Path) -> None:
    SaltStore(tmp_path / "salts.sqlite").close()
    assert (tmp_path / "salts.sqlite").stat().st_mode & 0o077 == 0
    with pytest.raises(StorageError):
        SaltStore(tmp_path / "no" / "salts.sqlite")
