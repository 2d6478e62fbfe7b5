"""Verifiers that nobody here wrote accept our checkpoints, proofs, cosignatures and tiles; altered ones not.

golang.org/x/mod/sumdb (Debian: golang-go, golang-golang-x-mod-dev), metamorphic-log and witness-log (PyPI).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import metamorphic_log
import pytest
import witness_log

from saferoom.audit import AuditLog
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import leaf_hash
from saferoom.audit.formats.note import NoteVerifier, split_note
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.audit.log.tlog import TlogFiles, export_tiles
from saferoom.audit.witness.feeder import Feeder
from saferoom.audit.witness.memory import WitnessStore
from saferoom.audit.witness.witness import Answer, Request, Witness, trust
from tests.witness_room import (
    NOW_S,
    PACE,
    Bench,
    grow,
    keys_of,
    open_log,
    request_for,
    signer_of,
    witness_signer,
)

SIZE = 600
WITNESSES = ("tax", "power", "auditor")
NO_TILES = ("0/2", "00/000", "9/000", "0/x000/000", "0/../0/000", "0/002", "0/002.p/89", "0/000.p/0")
GO_MODULE = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")


@dataclass(frozen=True)
class Written:
    """A cosigned log of 600 entries as tlog-tiles files, with proofs, and the log itself."""

    folder: Path
    log: AuditLog
    indices: tuple[int, ...] = (0, 1, 255, 256, 511, 599)
    olds: tuple[int, ...] = (1, 2, 128, 255, 256, 257, 599, 600)

    @property
    def keys(self) -> list[str]:
        return [self.log.verifier_key, *(str(witness_signer(name).verifier) for name in WITNESSES)]

    @property
    def root(self) -> bytes:
        return self.log.root_at(SIZE)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("independent")
    with open_log(folder / "bank.db") as log:
        grow(log, SIZE)
        Bench(folder).feed(log)
        export_tiles(log.path, folder / "tiles")
        found = Written(folder / "tiles", log)
        (folder / "tiles" / "proofs.json").write_text(json.dumps(proofs_of(found)), encoding="ascii")
        yield found


def proofs_of(written: Written) -> dict[str, Any]:
    log = written.log
    entries = dict(log.entries())
    return {
        "Inclusion": [
            {"Index": i, "Leaf": _text(leaf_hash(entries[i])), "Proof": [*map(_text, log.inclusion_proof(i))]}
            for i in written.indices
        ],
        "Consistency": [
            {"Old": old, "Root": _text(log.root_at(old)), "Proof": [*map(_text, log.consistency_proof(old))]}
            for old in written.olds
        ],
    }


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


# --- golang.org/x/mod/sumdb ----------------------------------------------------------


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Our few lines around Debian's Go library, built once; gives a function that runs them."""
    if shutil.which("go") is None or not GO_MODULE.is_dir():
        if os.environ.get("SAFEROOM_REQUIRE_GO") == "1":
            pytest.fail("golang-go and golang-golang-x-mod-dev must be installed here, and are not")
        pytest.skip("golang-go and golang-golang-x-mod-dev are not installed")
    folder = tmp_path_factory.mktemp("go")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    source = Path(__file__).with_name("verify.go")
    subprocess.run(["go", "build", "-o", folder / "verify", source], env=environment, check=True)

    def run(tiles: Path, *keys: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([folder / "verify", tiles, *keys], check=False, capture_output=True, text=True)

    return run


def test_go_accepts_notes_tiles_entries_and_proofs(written: Written, go: Callable[..., Any]) -> None:
    result = go(written.folder, *written.keys)
    assert result.stdout == f"saferoom/bank {SIZE} {len(written.indices)} {len(written.olds)}\n", (
        result.stderr
    )


@pytest.mark.parametrize(
    "name",
    ["checkpoint", "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "proofs.json"],
)
def test_go_refuses_what_was_altered(
    written: Written, go: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    shutil.copytree(written.folder, tmp_path / "altered")
    content = bytearray((tmp_path / "altered" / name).read_bytes())
    at = content.index(b'"Proof": ["') + 12 if name == "proofs.json" else len(content) // 2
    content[at] ^= 1
    (tmp_path / "altered" / name).write_bytes(content)
    assert go(tmp_path / "altered", *written.keys).returncode == 1


# --- metamorphic-log ----------------------------------------------------------


def test_metamorphic_accepts_a_checkpoint_that_others_cosigned(written: Written) -> None:
    note = (written.folder / "checkpoint").read_text(encoding="utf-8")
    head = metamorphic_log.checkpoint_verify(note, [written.log.verifier_key])
    assert (head.origin, head.size) == ("saferoom/bank", SIZE)
    assert bytes(head.root) == written.root
    assert metamorphic_log.verify_signed_note(note, [written.log.verifier_key]) == 1
    with pytest.raises(metamorphic_log.VerifyError):
        altered = note.replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n")
        metamorphic_log.checkpoint_verify(altered, [written.log.verifier_key])


def test_metamorphic_accepts_proofs(written: Written) -> None:
    log, root = written.log, written.root
    entries = dict(log.entries())
    for index in written.indices:
        proof = log.inclusion_proof(index)
        metamorphic_log.verify_inclusion(index, SIZE, leaf_hash(entries[index]), proof, root)
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.verify_inclusion(index, SIZE, leaf_hash(entries[index]), proof, bytes(32))
    for old in written.olds:
        proof = log.consistency_proof(old)
        metamorphic_log.verify_consistency(old, SIZE, proof, log.root_at(old), root)
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.verify_consistency(old, SIZE, proof, bytes(32), root)


# --- witness-log ----------------------------------------------------------


@pytest.fixture
def foreign(tmp_path: Path) -> Any:
    """A witness of another make, told of bank's log."""
    state = str(tmp_path / "foreign.state")
    witness_log.WitnessService.create_state(state)
    service = witness_log.WitnessService.new("example.org/foreign", bytes(range(32)), state)
    assert service.add_log("saferoom/bank", signer_of("bank").verifier_key)
    return service


def test_a_foreign_witness_cosigns_our_log(foreign: Any, tmp_path: Path) -> None:
    key = NoteVerifier.parse(foreign.vkey())
    with open_log(tmp_path / "bank.db") as log:
        for entries in (3, 250, 7):
            grow(log, entries)
            feeder = Feeder(log, "foreign", lambda: [key], PACE)
            again = True
            while again:
                number, body = feeder.request()
                status, text = foreign.handle_add_checkpoint(body.decode(), NOW_S)
                again = feeder.answered(number, Answer(status, text))
            assert (feeder.state.size, feeder.state.time_s) == (log.size, NOW_S)


def test_our_witness_answers_as_the_foreign_one(foreign: Any, tmp_path: Path) -> None:
    """Status by status, over every kind of request but one: another root at the size held is 409 by the
    protocol's text, as ours says it, and 422 there."""
    ours = Bench(tmp_path).witnesses["auditor"]
    with open_log(tmp_path / "bank.db") as log, open_log(tmp_path / "power.db", "power") as stranger:
        grow(stranger)
        requests: list[Request] = [request_for(stranger, 0)]
        for entries in (3, 4):
            old = log.size
            grow(log, entries)
            good = request_for(log, old)
            unsigned = Checkpoint("saferoom/bank", log.size, bytes(32)).signed(
                replace(signer_of("tax"), name="saferoom/bank")
            )
            requests += [
                replace(good, note=unsigned),
                replace(good, old=log.size + 1),
                replace(good, old=1, proof=()),
                *([replace(good, proof=(*good.proof, bytes(32)))] if old else []),
                good,
                good,
                Request(log.size, (), log.checkpoint()),
            ]
        statuses = []
        for request in requests:
            status, _ = foreign.handle_add_checkpoint(request.body().decode(), NOW_S)
            statuses.append(ours.add_checkpoint(request.body()).status)
            assert statuses[-1] == status, (len(statuses), request.old)
    assert set(statuses) == {200, 400, 403, 404, 409, 422}


def test_a_foreign_verifier_accepts_our_witnesses(tmp_path: Path) -> None:
    """A log of another make is witnessed by ours, and its own verifier says so."""
    log = witness_log.WitnessLog.generate()
    for number in range(5):
        log.append_intent(b"%d" % number)
    key = NoteVerifier.parse(log.c2sp_vkey(log.canonical_origin()))
    answers, directory = [], []
    for name in ("tax", "power"):
        signer = witness_signer(name)
        witness = Witness(WitnessStore(tmp_path / name), signer, trust([key]))
        public = signer.verifier.public_key.hex()
        answers.append((public, witness.add_checkpoint(log.add_checkpoint_body(0).encode()).body))
        url = f"https://{name}.example"
        directory.append(json.loads(witness_log.witness_entry_independent(signer.name, name, url, public)))
    dossier, taken = log.dossier_from_responses(answers)
    assert taken == 2
    report = json.loads(
        witness_log.verify_dossier_json(
            dossier, 0.66, log.identity_pubkey_hex(), json.dumps({"witnesses": directory})
        )
    )
    assert (report["verdict"], report["failures"]) == ("witnessed", [])
    assert report["quorum"]["valid_receipts"] == 2


def test_a_foreign_verifier_accepts_our_inclusion_proofs(written: Written) -> None:
    entries = dict(written.log.entries())
    for index in written.indices:
        proof = [node.hex() for node in written.log.inclusion_proof(index)]
        leaf, root = leaf_hash(entries[index]).hex(), written.root.hex()
        assert witness_log.verify_inclusion(leaf, index, SIZE, proof, root)


# --- the files themselves ----------------------------------------------------------


def test_only_paths_of_the_tree_have_files(written: Written) -> None:
    reader = SqliteReader(written.log.path)
    files = TlogFiles(reader)
    none = [f"tile/{end}" for end in (*NO_TILES, "0/000.p/256", "entries/003")]
    for path in (*none, "", "/checkpoint"):
        assert files.get(path) is None, path
    assert files.get("tile/0/000.p/7") == (written.folder / "tile/0/000").read_bytes()[: 7 * 32]
    reader.close()


def test_the_served_checkpoint_opens_with_every_key(written: Written) -> None:
    text, lines = split_note((written.folder / "checkpoint").read_bytes())
    assert Checkpoint.parse(text).size == SIZE
    assert len(lines) == 1 + len(WITNESSES)
    assert keys_of("bank")[0].name == "saferoom/bank"
