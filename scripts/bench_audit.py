"""How quick the audit log is: durable appends with proofs served meanwhile, verification, proofs.

    python scripts/bench_audit.py [--events 200000] [--folder DIR]

Prints one JSON object. Rates are events a second; times are seconds, or microseconds where the name says so.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import Actor, AuditLog, ContractRef, DataObject, Event, NoteSigner, verify_log
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import leaf_hash, verify_inclusion
from saferoom.audit.formats.note import split_note


def example_event(number: int) -> Event:
    """A usual event of about 500 bytes."""
    return Event(
        event_id=secrets.token_hex(16),
        type="score.one",
        stage="use",
        time="2026-01-31T08:00:00.000Z",
        node="bank",
        software="saferoom 0.1.0",
        outcome="allowed",
        actor=Actor(org="bank", id="officer-3", role="modeller", auth="mtls"),
        contract=ContractRef("contract-2026-01", "5f" * 32),
        object=DataObject.of("loans", rows=1),
        session=f"session-{number % 16}",
    )


def append_rate(log: AuditLog, events: int, batch: int) -> float:
    """Durable events a second, appended `batch` at a time by one thread. Making the events is not timed."""
    seconds = 0.0
    for first in range(0, events, batch):
        made = [example_event(first + i) for i in range(min(batch, events - first))]
        start = time.perf_counter()
        log.append_many(made)
        seconds += time.perf_counter() - start
    return events / seconds


def threads_rate(log: AuditLog, events: int, threads: int) -> float:
    """Durable events a second, appended one at a time by many threads: group commit at work."""

    def work() -> None:
        for number in range(events // threads):
            log.append(example_event(number))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return events / (time.perf_counter() - start)


def proving_until(log: AuditLog, stop: threading.Event, done: list[float]) -> None:
    """Serve proofs at random, about 50 a second, until told to stop; keeps each one's time."""
    while not stop.wait(0.02):
        size = log.size
        if size:
            start = time.perf_counter()
            log.inclusion_proof(secrets.randbelow(size), size)
            done.append(time.perf_counter() - start)


def bench_audit(folder: Path, *, events: int = 200_000) -> dict[str, float]:
    """Run everything once on a fresh log in `folder`."""
    signer = NoteSigner("saferoom/bench", Ed25519PrivateKey.generate())
    path = folder / "bench.sqlite"
    with AuditLog.open(path, origin=signer.name, signer=signer) as log:
        figures: dict[str, float] = {
            "append_1_per_s": append_rate(log, 500, 1),
            "append_200_per_s": append_rate(log, min(events, 20_000), 200),
            "append_1_by_64_threads_per_s": threads_rate(log, 6_400, 64),
        }
        stop, proofs = threading.Event(), list[float]()
        prover = threading.Thread(target=proving_until, args=(log, stop, proofs))
        prover.start()
        figures["append_sustained_with_proofs_per_s"] = append_rate(log, events, 20_000)
        stop.set()
        prover.join()
        figures["proof_meanwhile_median_us"] = median(proofs or [0.0]) * 1e6
        figures["proof_idle_median_us"] = median(_timed_proofs(log)) * 1e6
        size = log.size
    start = time.perf_counter()
    verdict = verify_log(path, [signer.verifier_key])
    seconds = time.perf_counter() - start
    figures |= {
        "entries": size,
        "bytes_per_entry_on_disk": path.stat().st_size / size,
        "verify_s": seconds,
        "verify_1m_s": seconds / size * 1e6,
        "verified": float(verdict.ok),
    }
    return figures


def _timed_proofs(log: AuditLog) -> list[float]:
    """Seconds for each of a hundred inclusion proofs, every one of them checked."""
    size = log.size
    root = signed_root(log)
    times = []
    for _ in range(100):
        index = secrets.randbelow(size)
        start = time.perf_counter()
        proof = log.inclusion_proof(index, size)
        times.append(time.perf_counter() - start)
        _, data = next(iter(log.entries(index, index + 1)))
        verify_inclusion(index, size, leaf_hash(data), proof, root)
    return times


def signed_root(log: AuditLog) -> bytes:
    """The root that the newest checkpoint signs."""
    return Checkpoint.parse(split_note(log.checkpoint())[0]).root


def main() -> None:
    """Read the arguments, run, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="where to write the log (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = bench_audit(Path(folder), events=arguments.events)
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
