"""No identifier in any byte the log leaves behind, and no way to find one by trying them all."""

from __future__ import annotations

import json
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import (
    AuditLog,
    ContractRef,
    DataObject,
    NoteSigner,
    Recorder,
    SaltStore,
    copy_log,
    export_folder,
)
from saferoom.audit.evidence.bundle import write_bundle
from saferoom.audit.evidence.fsck import fsck
from saferoom.audit.evidence.search import Query
from saferoom.audit.evidence.selections import FORMATS, Selected, export_selection
from saferoom.audit.evidence.sources import opened_logs
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.audit.log.tlog import export_tiles
from saferoom.errors import UsageError
from saferoom.ids import uscc_check_character

BODIES = [f"91510100MA62K{number:03}7"[:17] for number in range(60)]
CANARIES = [body + uscc_check_character(body) for body in BODIES]


def traces(code: str) -> list[bytes]:
    """The code and its plain digests, in the spellings that could slip into a file."""
    digest = sha256(code.encode())
    return [
        code.encode(),
        code.lower().encode(),
        code.encode("utf-16-le"),
        digest.digest(),
        digest.hexdigest().encode(),
    ]


@pytest.fixture
def everything(tmp_path: Path) -> dict[str, bytes]:
    """A node that does its best to log canaries; then every byte that it left, by file."""
    signer = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
    folder = tmp_path / "node"
    folder.mkdir()
    with (
        AuditLog.open(folder / "log.sqlite", origin=signer.name, signer=signer) as log,
        SaltStore(folder / "salts.sqlite") as salts,
    ):
        recorder = Recorder(log, node="bank", software="saferoom")
        for code in CANARIES:
            recorder.record("score.one", subject_commit=salts.commit(code))
            recorder.record("job.failed", outcome="failed", reason=f"cannot parse {code}")
            for leak in (
                {"purpose": code},
                {"object": DataObject(code)},
                {"contract": ContractRef(f"c-{code}")},
            ):
                with pytest.raises(UsageError) as caught:
                    recorder.record("job.started", **leak)
                assert code not in str(caught.value)
        copy_log(folder / "log.sqlite", folder / "copy.sqlite")
        export_folder(folder / "log.sqlite", folder / "export")
        take_along(folder / "log.sqlite", folder)
        shutil.copytree(folder, tmp_path / "seized")
    files = {str(f.relative_to(tmp_path)): f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
    assert files["seized/log.sqlite-wal"]
    assert files["node/tiles/checkpoint"]
    return files


def take_along(log: Path, folder: Path) -> None:
    """What an auditor takes along: tiles, entries in every format, and a bundle, unpacked here."""
    export_tiles(log, folder / "tiles")
    with opened_logs([log]) as (reader,):
        size = reader.head().size if isinstance(reader, SqliteReader) else 0
        export_selection(Selected(reader, "saferoom/bank", size), folder / "selection", Query(), FORMATS)
        report = json.dumps(fsck(log, canaries=CANARIES).to_dict()).encode()
        write_bundle([reader], folder / "bundle.zip", query=Query(), extra={"reports/fsck.json": report})
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        bundle.extractall(folder / "bundle")


def test_no_canary_in_any_byte(everything: dict[str, bytes]) -> None:
    for name, content in everything.items():
        for code in CANARIES:
            assert not any(trace in content for trace in traces(code)), name


def test_trying_every_code_finds_nothing_without_the_salts(everything: dict[str, bytes]) -> None:
    lines = everything["node/export/entries.jsonl"].splitlines()
    parts = [line.partition(b'"subject_commit":"')[2] for line in lines]
    commitments = [part[:64] for part in parts if part]
    assert len(set(commitments)) == len(CANARIES)
    prefixes = (b"", bytes(32))
    plain = {sha256(prefix + code.encode()).hexdigest().encode() for code in CANARIES for prefix in prefixes}
    assert not plain & set(commitments)


def test_the_salts_are_in_no_file_that_an_auditor_gets(everything: dict[str, bytes], tmp_path: Path) -> None:
    with SaltStore(tmp_path / "node" / "salts.sqlite") as salts:
        kept = [salts.salt_of(commitment) or b"" for code in CANARIES for commitment in salts.find(code)]
        assert len(kept) == len(CANARIES)
        assert all(kept)
    for name, content in everything.items():
        if "salts" not in name:
            assert not any(salt in content or salt.hex().encode() in content for salt in kept), name
