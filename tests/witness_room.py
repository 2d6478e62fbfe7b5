"""Logs and witnesses without a wire: what the tests of witnessing are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import AuditLog, NoteSigner, Recorder
from saferoom.audit.formats.note import COSIGNATURE_V1, NoteVerifier
from saferoom.audit.witness.feeder import Feeder, Pace
from saferoom.audit.witness.memory import Alarm, WitnessStore
from saferoom.audit.witness.quorum import Quorum, witness_name
from saferoom.audit.witness.witness import Answer, Request, Witness, trust

NOW_S = 1_780_000_000
PACE = Pace(changed_s=0, idle_s=0)


def signer_of(name: str) -> NoteSigner:
    """The log key of a node, the same in every test."""
    seed = name.encode().ljust(32, b"\0")
    return NoteSigner(f"saferoom/{name}", Ed25519PrivateKey.from_private_bytes(seed))


def witness_signer(name: str) -> NoteSigner:
    key = signer_of(name)
    return NoteSigner(witness_name(key.name), key.private_key, COSIGNATURE_V1)


class Bench:
    """Witnesses of the logs of `bank` and `tax`, their alarms, and one clock for all."""

    def __init__(self, folder: Path, names: tuple[str, ...] = ("tax", "power", "auditor")) -> None:
        self.folder = folder
        self.now_s = float(NOW_S)
        self.alarms: list[Alarm] = []
        self.witnesses = {name: self.witness(name) for name in names}

    def witness(self, name: str) -> Witness:
        """A witness with the memory that lies in the folder, new or from before."""
        return Witness(
            WitnessStore(self.folder / f"{name}.witness"),
            witness_signer(name),
            trust([signer_of("bank").verifier, signer_of("tax").verifier]),
            on_alarm=self.alarms.append,
            clock=lambda: self.now_s,
        )

    def quorum(self, needed: int = 2, max_age_s: float | None = None) -> Quorum:
        return Quorum(needed, tuple(w.verifier for w in self.witnesses.values()), max_age_s)

    def feed(self, log: AuditLog, *names: str, through: Callable[[str, bytes], Answer] | None = None) -> None:
        """Have the log's newest checkpoint cosigned by these witnesses (default: all)."""
        ask = through or (lambda name, body: self.witnesses[name].add_checkpoint(body))
        for name in names or self.witnesses:
            feeder = Feeder(log, name, lambda name=name: [witness_signer(name).verifier], PACE)  # type: ignore[misc]
            for _ in range(3):
                number, body = feeder.request()
                if not feeder.answered(number, ask(name, body)):
                    break


def open_log(path: Path, name: str = "bank") -> AuditLog:
    signer = signer_of(name)
    return AuditLog.open(path, origin=signer.name, signer=signer)


def grow(log: AuditLog, entries: int = 1) -> None:
    recorder = Recorder(log, node=log.origin.rpartition("/")[2], software="saferoom")
    for _ in range(entries):
        recorder.record("job.started", session="s")


def request_for(log: AuditLog, old: int) -> Request:
    """The question about the newest checkpoint of a log, from what the witness is believed to hold."""
    proof = log.consistency_proof(old) if 0 < old < log.size else []
    return Request(old, tuple(proof), log.checkpoint())


def keys_of(*names: str) -> list[NoteVerifier]:
    return [signer_of(name).verifier for name in names]
