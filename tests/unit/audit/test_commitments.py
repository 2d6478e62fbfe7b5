"""Commitments are found with their salt, and by nobody once it is erased."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from saferoom.audit import AuditLog, Recorder, SaltStore, subject_commitment, verify_log
from saferoom.errors import StorageError


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
        salt = next(salt for name, salt in salts._rows() if name.hex() == commitment)
        assert salt in store.read_bytes()
        assert salts.erase("enterprise 1") == 1
        assert salts.find("enterprise 1") == []
        assert salts.find("enterprise 2") == [kept]
    assert salt not in store.read_bytes()
    assert verify_log(path, [log.verifier_key]).ok


def test_it_is_private_and_says_when_it_cannot_be_opened(tmp_path: Path) -> None:
    SaltStore(tmp_path / "salts.sqlite").close()
    assert (tmp_path / "salts.sqlite").stat().st_mode & 0o077 == 0
    with pytest.raises(StorageError):
        SaltStore(tmp_path / "no" / "salts.sqlite")
