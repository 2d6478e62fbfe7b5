"""Kills, torn files, full disks: a receipt that was given is never lost, and none is given for nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import AuditLog, NoteSigner, Recorder, verify_log
from saferoom.audit.formats.merkle import leaf_hash
from saferoom.errors import StorageError
from tests.waiting import LIMIT_S
from tests.witness_room import Bench, open_log, signer_of

SEED = bytes(range(32))
SIGNER = NoteSigner("saferoom/bank", Ed25519PrivateKey.from_private_bytes(SEED))

WRITER = """
import resource, sys, threading
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from saferoom.audit import AuditLog, NoteSigner, Recorder
from saferoom.errors import StorageError

signer = NoteSigner("saferoom/bank", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
log = AuditLog.open(sys.argv[1], origin=signer.name, signer=signer)
recorder = Recorder(log, node="bank", software="saferoom")
if int(sys.argv[2]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
printing = threading.Lock()

def work(name):
    while True:
        receipt = recorder.record("job.started", session=name)
        with printing:
            print(receipt.index, receipt.leaf.hex(), flush=True)

def work_until_refused(name):
    try:
        work(name)
    except StorageError as error:
        with printing:
            print("refused:", error.remedy, flush=True)

threads = [threading.Thread(target=work_until_refused, args=(f"s-{n}",)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
log.close()
"""


WITNESSED = """
import sys
from pathlib import Path
from tests.witness_room import Bench, grow, open_log

folder = Path(sys.argv[1])
bench = Bench(folder)
with open_log(folder / "bank.db") as log:
    while True:
        grow(log, 3)
        bench.feed(log)
        print(log.size, flush=True)
"""


def start(path: Path, file_limit_bytes: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(file_limit_bytes)], stdout=subprocess.PIPE, text=True
    )


def leaves_of(path: Path) -> dict[int, str]:
    with AuditLog.open(path, origin=SIGNER.name, signer=SIGNER) as log:
        return {index: leaf_hash(data).hex() for index, data in log.entries()}


def test_a_killed_writer_loses_no_receipt(tmp_path: Path) -> None:
    path, receipts = tmp_path / "log.sqlite", {}
    for lines in (1, 37, 150):
        writer = start(path)
        assert writer.stdout is not None
        for _ in range(lines):
            index, leaf = writer.stdout.readline().split()
            receipts[int(index)] = leaf
        os.kill(writer.pid, signal.SIGKILL)
        # What was printed between the last line read and the kill are receipts too.
        for line in writer.stdout.read().splitlines():
            if len(line.split()) == 2 and len(line.split()[1]) == 64:
                receipts[int(line.split()[0])] = line.split()[1]
        writer.wait()
        verdict = verify_log(path, [SIGNER.verifier_key])
        assert verdict.ok, verdict.faults
        stored = leaves_of(path)
        assert receipts.items() <= stored.items()
        assert sorted(stored) == list(range(len(stored)))
    assert len(receipts) >= 188


def test_a_full_disk_refuses_and_gives_no_receipt(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    writer = start(path, file_limit_bytes=300_000)
    out, _ = writer.communicate(timeout=LIMIT_S)
    assert writer.returncode == 0
    lines = out.splitlines()
    assert sum(line.startswith("refused: free space") for line in lines) == 4
    receipts = {int(line.split()[0]): line.split()[1] for line in lines if not line.startswith("refused")}
    assert receipts
    assert receipts.items() <= leaves_of(path).items()
    assert verify_log(path, [SIGNER.verifier_key]).ok


@pytest.fixture
def killed(tmp_path: Path) -> tuple[Path, int]:
    """A log whose last commits are in the write-ahead log only, as after a power cut; and its size."""
    live = tmp_path / "live.sqlite"
    with AuditLog.open(live, origin=SIGNER.name, signer=SIGNER) as log:
        recorder = Recorder(log, node="bank", software="saferoom")
        for _ in range(20):
            recorder.record("job.started", session="s")
        dead = tmp_path / "dead.sqlite"
        shutil.copy(live, dead)
        shutil.copy(f"{live}-wal", f"{dead}-wal")
        return dead, log.size


@pytest.mark.parametrize("cut", [0, 1, 24, 32, 1000, 4096, 10_000, 50_000])
def test_a_torn_write_ahead_log_ends_at_a_whole_commit(killed: tuple[Path, int], cut: int) -> None:
    path, size = killed
    wal = Path(f"{path}-wal")
    os.truncate(wal, wal.stat().st_size - cut)
    verdict = verify_log(path, [SIGNER.verifier_key])
    assert verdict.ok, verdict.faults
    assert verdict.size == size if cut == 0 else 0 < verdict.size < size
    with AuditLog.open(path, origin=SIGNER.name, signer=SIGNER) as log:
        assert log.size == verdict.size
        Recorder(log, node="bank", software="saferoom").record("log.recovered", session="s")
    assert verify_log(path, [SIGNER.verifier_key]).size == verdict.size + 1


def test_a_flipped_bit_in_the_write_ahead_log_ends_there(killed: tuple[Path, int]) -> None:
    path, size = killed
    wal = Path(f"{path}-wal")
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 1
    wal.write_bytes(content)
    verdict = verify_log(path, [SIGNER.verifier_key])
    assert verdict.ok
    assert 0 < verdict.size < size


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    writer = start(path)
    assert writer.stdout is not None
    writer.stdout.readline()
    with pytest.raises(StorageError, match="another writer"):
        AuditLog.open(path, origin=SIGNER.name, signer=SIGNER)
    writer.kill()
    writer.communicate()
    AuditLog.open(path, origin=SIGNER.name, signer=SIGNER).close()


def test_a_killed_witness_has_kept_whatever_it_cosigned(tmp_path: Path) -> None:
    """Log and witnesses die together at any point, and go on together; no cosignature is for nothing."""
    root, size = Path(__file__).resolve().parents[2], 0
    for lines in (1, 2, 5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WITNESSED, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        assert writer.stdout is not None
        for _ in range(lines):
            size = int(writer.stdout.readline())
        writer.kill()
        rest = writer.communicate()[0].split()
        size = int(rest[-1]) if rest else size
        bench = Bench(tmp_path)
        with open_log(tmp_path / "bank.db") as log:
            given = {item.witness.partition("+")[0]: item.size for item in log.cosignatures()}
            for witness in bench.witnesses.values():
                held = witness.store.held("saferoom/bank")
                assert held is not None
                assert size <= given[witness.verifier.name] <= held.checkpoint.size <= log.size
                assert log.root_at(held.checkpoint.size) == held.checkpoint.root
            bench.feed(log)
            size = log.size
    verdict = verify_log(tmp_path / "bank.db", [signer_of("bank").verifier_key], quorum=bench.quorum(3))
    assert verdict.witnessed is not None
    assert verdict.witnessed.size == size
