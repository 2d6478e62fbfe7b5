"""Bundles and exports at the command line: checked with the auditor's keys, searched, compared."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit import NoteSigner, Recorder
from saferoom.audit.evidence import verify_bundle
from saferoom.audit.evidence.bundle import write_bundle
from saferoom.audit.evidence.search import Query
from saferoom.audit.evidence.sources import opened_logs
from saferoom.audit.formats.note import COSIGNATURE_V1
from saferoom.audit.log.export import export_folder
from saferoom.audit.witness.quorum import cosignature, witness_name
from saferoom.contracts.canonical import canonical_bytes
from saferoom.ids import COORDINATOR
from tests.cli_runner import Result, run_command
from tests.node_room import PARTIES, opened_nodes, three_party_columns
from tests.witness_room import Bench, grow, open_log, signer_of

BANK, TAX = signer_of("bank").verifier_key, signer_of("tax").verifier_key
SEEN_S = 1_700_000_000
ENTRIES = 5


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.now_s = float(SEEN_S)
    return bench


@pytest.fixture
def logs(tmp_path: Path, bench: Bench) -> list[Path]:
    """The logs of two parties, the bank's cosigned by two witnesses of three."""
    for name in ("bank", "tax"):
        with open_log(tmp_path / f"{name}.db", name) as log:
            grow(log, ENTRIES - 1)
            Recorder(log, node=name, software="saferoom").record("node.stopped")
            if name == "bank":
                bench.feed(log, "power", "auditor")
    return [tmp_path / "bank.db", tmp_path / "tax.db"]


def bundled(logs: Sequence[Path], query: Query | None = None) -> Path:
    target = logs[0].with_name("evidence.zip")
    target.unlink(missing_ok=True)
    with opened_logs(logs) as readers:
        write_bundle(readers, target, query=query or Query(), extra={})
    return target


def audit(folder: Path, *words: str) -> tuple[Result, Any]:
    result = run_command(("audit", *words, "--json"), folder=folder, environment=os.environ)
    return result, json.loads(result.stdout) if result.stdout else None


def quorum_words(bench: Bench, needed: int) -> list[str]:
    keys = [str(witness.verifier) for witness in bench.witnesses.values()]
    return [word for key in keys for word in ("--witness", key)] + ["--quorum", str(needed)]


def test_a_bundle_is_verified_with_the_auditors_keys(logs: list[Path], tmp_path: Path) -> None:
    path = str(bundled(logs))
    result, answer = audit(tmp_path, "verify", path, "--key", BANK, "--key", TAX)
    assert result.code == 0
    assert [(one["origin"], one["verdict"]) for one in answer["logs"]] == [
        ("saferoom/bank", "CONSISTENT"),
        ("saferoom/tax", "CONSISTENT"),
    ]
    plain = run_command(
        ("audit", "verify", path, "--key", BANK, "--key", TAX), folder=tmp_path, environment={}
    )
    assert f"CONSISTENT  saferoom/bank  {ENTRIES} of {ENTRIES} entries" in plain.stdout


def test_a_bundles_own_keys_count_nothing(logs: list[Path], tmp_path: Path) -> None:
    path = str(bundled(logs))
    result, _ = audit(tmp_path, "verify", path)
    assert result.code == 2 and "your own keys" in result.stderr
    result, answer = audit(tmp_path, "verify", path, "--key", TAX)
    assert result.code == 1
    assert [one["verdict"] for one in answer["logs"]] == ["INVALID", "CONSISTENT"]


def test_a_quorum_on_the_newest_checkpoint_is_witnessed(
    logs: list[Path], bench: Bench, tmp_path: Path
) -> None:
    """By the command and by the one file, with the same keys."""
    path = bundled(logs[:1])
    words = ["verify", str(path), "--key", BANK]
    for needed, word, code in ((2, "WITNESSED", 0), (3, "CONSISTENT", 10)):
        result, answer = audit(tmp_path, *words, *quorum_words(bench, needed), "--require-witnesses")
        (one,) = answer["logs"]
        assert (one["verdict"], result.code) == (word, code)
        witnesses = "\n".join(str(witness.verifier) for witness in bench.witnesses.values())
        (tmp_path / "keys.txt").write_text(f"{BANK}\n{witnesses}\nquorum {needed}\n", encoding="utf-8")
        assert verify_bundle.main([str(path), "--keys", str(tmp_path / "keys.txt")]) == code
    assert one["witnesses"] == ["saferoom/auditor/witness", "saferoom/power/witness"]
    result, _ = audit(tmp_path, *words, *quorum_words(bench, 2), "--max-age-s", "60")
    assert result.code == verify_bundle.EXIT["STALE"]
    result, _ = audit(
        tmp_path, *words, "--key", str(bench.witnesses["power"].verifier), "--require-witnesses"
    )
    assert result.code == 10, "a witness is one only if it is named as one"


def test_a_cosignature_from_the_future_does_not_count(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_log(tmp_path / "bank.db") as log:
        grow(log)
        bench.feed(log, "power", "auditor")
    path = bundled([tmp_path / "bank.db"])
    monkeypatch.setattr(verify_bundle.time, "time", lambda: SEEN_S - 1000.0)
    _, answer = audit(tmp_path, "verify", str(path), "--key", BANK, *quorum_words(bench, 2))
    assert answer["logs"][0]["verdict"] == "CONSISTENT"


def test_an_old_checkpoint_s_quorum_is_not_the_newest_s(
    logs: list[Path], bench: Bench, tmp_path: Path
) -> None:
    with open_log(logs[0]) as log:
        grow(log)
    path = bundled(logs[:1])
    _, answer = audit(tmp_path, "verify", str(path), "--key", BANK, *quorum_words(bench, 2))
    assert answer["logs"][0]["verdict"] == "CONSISTENT"


@pytest.mark.parametrize(("at", "length"), [(40, None), (200, None), (0, 2000), (0, -10)])
def test_a_damaged_bundle_is_an_error_without_traceback(
    logs: list[Path], tmp_path: Path, at: int, length: int | None
) -> None:
    """A bit is flipped, or the end is missing."""
    path = bundled(logs)
    content = bytearray(path.read_bytes())
    content[at] ^= 1 if length is None else 0
    path.write_bytes(content[:length])
    for words in (["verify", str(path), "--key", BANK, "--key", TAX], ["search", str(path)]):
        result, _ = audit(tmp_path, *words)
        assert result.code != 0 and "Traceback" not in result.stderr


def test_search_reads_bundles_and_exports(logs: list[Path], tmp_path: Path) -> None:
    export_folder(logs[0], tmp_path / "folder")
    for place in (tmp_path / "folder", bundled(logs[:1]), bundled(logs[:1], Query(types=("node.stopped",)))):
        _, answer = audit(tmp_path, "search", str(place), "--type", "node.stopped")
        assert [(one["index"], one["node"]) for one in answer["entries"]] == [(ENTRIES - 1, "bank")]
        assert answer["size"] == ENTRIES
    _, answer = audit(tmp_path, "search", str(bundled(logs)), "--type", "node.stopped")
    assert [one["node"] for one in answer["entries"]] == ["bank", "tax"]


def test_what_is_written_of_a_selection_is_not_complete(logs: list[Path], tmp_path: Path) -> None:
    selection = bundled(logs[:1], Query(types=("node.stopped",)))
    result, answer = audit(tmp_path, "search", str(selection), "--out", "found")
    assert (result.code, answer["complete"], answer["entries"]) == (0, False, 1)
    result, _ = audit(tmp_path, "search", str(bundled(logs)), "--out", "both")
    assert result.code == 2 and "several logs" in result.stderr


def test_reconcile_reads_bundles_and_exports(logs: list[Path], tmp_path: Path) -> None:
    export_folder(logs[1], tmp_path / "folder")
    expected = audit(tmp_path, "reconcile", *map(str, logs), "--key", BANK, "--key", TAX)
    both = bundled(logs).rename(tmp_path / "both.zip")
    for places in ([both], [bundled(logs[:1]), tmp_path / "folder"]):
        result, answer = audit(tmp_path, "reconcile", *map(str, places), "--key", BANK, "--key", TAX)
        assert (result.code, answer) == (expected[0].code, expected[1])
    assert expected[1]["findings"], "a job that was started and has no end"


def test_reconcile_takes_no_selection_and_no_unknown_key(logs: list[Path], tmp_path: Path) -> None:
    result, answer = audit(tmp_path, "reconcile", str(bundled(logs)), "--key", BANK)
    assert (result.code, [one["origin"] for one in answer["logs"]]) == (1, ["saferoom/tax"])
    selection = str(bundled(logs, Query(types=("node.stopped",))))
    result, _ = audit(tmp_path, "reconcile", selection, "--key", BANK, "--key", TAX)
    assert result.code == 2 and "selection" in result.stderr


def test_a_changed_entry_in_a_bundle_is_invalid(logs: list[Path], tmp_path: Path) -> None:
    """With a manifest that fits: digests alone prove nothing."""
    with zipfile.ZipFile(bundled(logs)) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist() if name != "manifest.json"}
    files["logs/tax/entries.jsonl"] = files["logs/tax/entries.jsonl"].replace(b'"allowed"', b'"refused"', 1)
    digests = {name: sha256(data).hexdigest() for name, data in files.items()}
    files["manifest.json"] = json.dumps({"format": verify_bundle.FORMAT, "files": digests}).encode()
    with zipfile.ZipFile(tmp_path / "changed.zip", "w") as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    for command in ("verify", "reconcile"):
        result, answer = audit(tmp_path, command, "changed.zip", "--key", BANK, "--key", TAX)
        assert result.code == 1
        assert [one["verdict"] for one in answer["logs"] if one["origin"] == "saferoom/tax"] == ["INVALID"]


def test_fsck_and_bundle_take_no_bundle_for_a_log(logs: list[Path], tmp_path: Path) -> None:
    result, _ = audit(tmp_path, "fsck", str(bundled(logs)))
    assert result.code == 2 and "bundle" in result.stderr


def test_fsck_takes_the_witnesses_that_verify_takes(bench: Bench, tmp_path: Path) -> None:
    with open_log(tmp_path / "bank.db") as log:
        grow(log)
        bench.now_s = log.clock().timestamp()
        bench.feed(log, "power", "auditor")
    words = ["bank.db", "--key", BANK]
    for needed, word in ((2, "WITNESSED"), (3, "CONSISTENT")):
        for command in ("fsck", "verify"):
            result, answer = audit(tmp_path, command, *words, *quorum_words(bench, needed))
            assert (answer.get("verdict", answer) if command == "fsck" else answer)["verdict"] == word
            assert result.code == 0
    result, _ = audit(tmp_path, "fsck", "bank.db", "--key", TAX)
    assert result.code == 1, "another log's key does not stand for this one's"


def test_fsck_and_verify_take_keys_and_witnesses_from_the_contract(tmp_path: Path) -> None:
    """The auditor gives nothing but the contract, for a log or for a bundle of it."""
    with opened_nodes(tmp_path / "room") as nodes:
        terms = {"quorum": 2, "witnesses": [*PARTIES, COORDINATOR]}
        contract = nodes.draft(three_party_columns(), witnessing=terms)
        log = nodes.cores["bank"].log
        note, time_s = log.checkpoint(), int(log.clock().timestamp())
        text = note.partition("\n\n")[0] + "\n"
        for name in ("tax", "power"):
            signer = NoteSigner(witness_name(f"saferoom/{name}"), nodes.cores[name].keys.log, COSIGNATURE_V1)
            line = signer.signature_line(text, time_s=time_s)
            log.add_cosignatures([cosignature(log.size, line)])
        path = nodes.homes["bank"].log
    (tmp_path / "contract.json").write_bytes(canonical_bytes(contract))
    shutil.copy(path, tmp_path / "bank.db")
    evidence = bundled([tmp_path / "bank.db"])
    _, answer = audit(tmp_path, "fsck", "bank.db", "--contract", "contract.json")
    assert answer["verdict"]["verdict"] == "WITNESSED" and answer["verdict"]["key_verified"]
    for file in ("bank.db", evidence.name):
        _, answer = audit(tmp_path, "verify", file, "--contract", "contract.json")
        (one,) = answer.get("logs", [answer])
        assert one["verdict"] == "WITNESSED"
    result, _ = audit(tmp_path, "fsck", str(tmp_path / "water.db"), "--contract", "contract.json")
    assert result.code == 2


def test_a_contract_of_other_nodes_is_no_help(tmp_path: Path) -> None:
    with opened_nodes(tmp_path / "room") as nodes:
        (tmp_path / "contract.json").write_bytes(canonical_bytes(nodes.draft(three_party_columns())))
    with open_log(tmp_path / "water.db", "water") as log:
        grow(log)
    for command, file in (("fsck", "water.db"), ("verify", "water.db"), ("verify", "evidence.zip")):
        bundled([tmp_path / "water.db"])
        result, _ = audit(tmp_path, command, file, "--contract", "contract.json")
        assert result.code != 0 and "names no node" in result.stderr
