"""Bundles: written here, checked by one file in a Python that knows no SafeRoom."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cryptography
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import AuditLog, NoteSigner, Recorder
from saferoom.audit.evidence import verify_bundle
from saferoom.audit.evidence.bundle import write_bundle
from saferoom.audit.evidence.search import Query
from saferoom.audit.evidence.sources import opened_logs
from saferoom.audit.log.export import export_folder
from saferoom.errors import StorageError
from tests.rewritten import rewrite

SIGNER = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
NOW = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)
SIZE = 300
ALONE = (
    "import sys, runpy; sys.path.append(sys.argv.pop(1));runpy.run_path(sys.argv.pop(1), run_name='__main__')"
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "log.db"
    with AuditLog.open(path, origin=SIGNER.name, signer=SIGNER, clock=lambda: NOW) as log:
        record = Recorder(log, node="bank", software="saferoom")
        for first in range(0, SIZE, 100):
            for number in range(first, first + 50):
                record.record("score.one", session=f"job-{number % 3}")
            log.append_many(record.event("disclosure", session="job-0") for _ in range(50))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.txt"
    file.write_text(f"# read out by the bank\n{SIGNER.verifier_key}\n", encoding="utf-8")
    return file


def bundled(log: Path, tmp_path: Path, query: Query | None = None) -> Path:
    target = tmp_path / "evidence.zip"
    with opened_logs([log]) as readers:
        write_bundle(readers, target, query=query or Query(), extra={"policy.yaml": b"x: 1\n"})
    return target


def alone(*words: str) -> tuple[int, dict[str, Any]]:
    """The verifier in an isolated Python: no site packages but the folder that `cryptography` lies in."""
    program, packages = verify_bundle.__file__, Path(cryptography.__file__).parents[1]
    lonely = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import saferoom"], capture_output=True, check=False
    )
    assert lonely.returncode != 0, "saferoom must not be importable there"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ALONE, str(packages), program, *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["logs"][0]


def test_a_whole_log_is_checked_without_saferoom(log: Path, keys: Path, tmp_path: Path) -> None:
    code, verdict = alone(str(bundled(log, tmp_path)), "--keys", str(keys))
    assert (code, verdict["verdict"], verdict["complete"]) == (0, "CONSISTENT", True)
    assert verdict["size"] == verdict["entries"] == SIZE


def test_a_selection_is_proved_entry_by_entry_and_is_not_complete(
    log: Path, keys: Path, tmp_path: Path
) -> None:
    selection = bundled(log, tmp_path, Query(types=("disclosure",)))
    code, verdict = alone(str(selection), "--keys", str(keys))
    assert (code, verdict["verdict"], verdict["complete"], verdict["entries"]) == (
        0,
        "CONSISTENT",
        False,
        150,
    )
    assert "selection" in verdict["not_proved"]


def test_an_exported_folder_gives_the_same_bundle(log: Path, keys: Path, tmp_path: Path) -> None:
    export_folder(log, tmp_path / "folder")
    verdict = check(bundled(tmp_path / "folder", tmp_path), keys)
    assert verdict["verdict"] == "CONSISTENT" and verdict["entries"] == SIZE


def check(path: Path, keys: Path, *seen: str, max_age_s: float | None = None) -> dict[str, Any]:
    own = verify_bundle.Keys(keys.read_text("utf-8"))
    try:
        bundle = verify_bundle.Bundle(path)
    except verify_bundle.Refused as refused:
        return {"verdict": "INVALID", "fault": str(refused)}
    return verify_bundle.verify(bundle, bundle.logs()[0], own, list(seen), max_age_s)


def test_the_bundles_own_word_on_keys_counts_nothing(log: Path, tmp_path: Path) -> None:
    stranger = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
    (tmp_path / "other.txt").write_text(stranger.verifier_key, encoding="utf-8")
    verdict = check(bundled(log, tmp_path), tmp_path / "other.txt")
    assert (verdict["verdict"], verdict["fault"]) == (
        "INVALID",
        "it is not signed by a key of saferoom/bank that you gave",
    )


def test_a_quorum_that_is_asked_for_and_not_there(log: Path, keys: Path, tmp_path: Path) -> None:
    keys.write_text(f"{SIGNER.verifier_key}\nquorum 1\n", encoding="utf-8")
    assert alone(str(bundled(log, tmp_path)), "--keys", str(keys))[0] == verify_bundle.NOT_WITNESSED


def test_old_entries_are_stale(log: Path, keys: Path, tmp_path: Path) -> None:
    assert check(bundled(log, tmp_path), keys, max_age_s=60)["verdict"] == "STALE"


def test_a_rewritten_log_diverges_from_a_kept_checkpoint(log: Path, keys: Path, tmp_path: Path) -> None:
    with opened_logs([log]) as (reader,):
        *_, (_, kept) = reader.checkpoints()
    changed = rewrite(log, tmp_path / "changed.db", SIGNER, lambda events: events[1:])
    assert check(bundled(log, tmp_path), keys, kept)["verdict"] == "CONSISTENT"
    (tmp_path / "evidence.zip").unlink()
    assert check(bundled(changed, tmp_path), keys)["verdict"] == "CONSISTENT"
    assert check(tmp_path / "evidence.zip", keys, kept)["verdict"] == "DIVERGED"


def files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as bundle:
        yield from ((name, bundle.read(name)) for name in bundle.namelist())


def repacked(path: Path, target: Path, change: Callable[[str, bytes], bytes], *, honest: bool) -> Path:
    """With each file changed; `honest` says the new digests in the manifest."""
    from hashlib import sha256

    files = {name: change(name, data) for name, data in files_of(path) if name != "manifest.json"}
    manifest = json.loads(dict(files_of(path))["manifest.json"])
    if honest:
        manifest["files"] = {name: sha256(data).hexdigest() for name, data in files.items()}
    with zipfile.ZipFile(target, "w") as bundle:
        for name, data in (files | {"manifest.json": json.dumps(manifest).encode()}).items():
            bundle.writestr(name, data)
    return target


CHANGED = ("entries.jsonl", "checkpoint-first", "checkpoint-last", "consistency.json", "proofs.jsonl")


@pytest.mark.parametrize("honest", [False, True])
@pytest.mark.parametrize(
    ("name", "selection"),
    [
        (name, selection)
        for name in (
            "entries.jsonl",
            "checkpoint-first",
            "checkpoint-last",
            "consistency.json",
            "proofs.jsonl",
        )
        for selection in (False, True)
        if selection or name != "proofs.jsonl"
    ],
)
def test_a_changed_byte_anywhere_is_found(
    log: Path, keys: Path, tmp_path: Path, name: str, honest: bool, selection: bool
) -> None:
    original = bundled(log, tmp_path, Query(types=("disclosure",)) if selection else None)

    def change(file: str, data: bytes) -> bytes:
        if not file.endswith(name):
            return data
        at = data.find(b"=") - 9 if name != "entries.jsonl" else data.index(b'"node":"bank"') + 9
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    changed = repacked(original, tmp_path / "changed.zip", change, honest=honest)
    assert check(changed, keys)["verdict"] == "INVALID"


def test_a_dropped_or_added_file_is_found(log: Path, keys: Path, tmp_path: Path) -> None:
    original = bundled(log, tmp_path)
    for name, extra in (("policy.yaml", {}), ("", {"logs/bank/more": b""})):
        target = tmp_path / f"without-{name or 'nothing'}.zip"
        with zipfile.ZipFile(target, "w") as bundle:
            for file, data in (dict(files_of(original)) | extra).items():
                if file != name:
                    bundle.writestr(file, data)
        assert check(target, keys)["verdict"] == "INVALID"


def test_a_bundle_is_never_written_over_or_left_half(log: Path, tmp_path: Path) -> None:
    target = bundled(log, tmp_path)
    with pytest.raises(StorageError, match="exists"):
        bundled(log, tmp_path)
    assert target.stat().st_mode & 0o077 == 0
    with opened_logs([log]) as readers, pytest.raises(ZeroDivisionError):
        write_bundle(readers, tmp_path / "half.zip", query=Query(), extra=_Broken())
    assert not (tmp_path / "half.zip").exists()


class _Broken(dict[str, bytes]):
    def items(self) -> Any:
        raise ZeroDivisionError
