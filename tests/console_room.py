"""Logs of a bank, a tax bureau and a coordinator as the console's tests open them, and a visitor."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from saferoom.audit import (
    Actor,
    AuditLog,
    ContractRef,
    DataObject,
    DisclosureRef,
    Event,
    NoteSigner,
    PeerRef,
    Recorder,
)
from saferoom.audit.entries.vocabulary import STAGE_OF, Direction, EventType
from saferoom.audit.formats.note import COSIGNATURE_V1
from saferoom.audit.witness.quorum import Quorum, cosignature
from saferoom.console.access import Access
from saferoom.console.app import create_app
from saferoom.console.desk import Desk
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.opened import Reliance

START = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
CONTRACT = ContractRef("credit-2026-q1", "ab" * 32)
JOB = "5f" * 16
PARTIES = ("bank", "tax")
PURPOSE = "credit model of small enterprises"
ORIGIN = "http://127.0.0.1:8443"
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'"


@dataclass(slots=True)
class Clock:
    """A second goes by at every look."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(slots=True)
class LogRoom:
    """Nodes' logs under one folder, opened for writing when something is recorded."""

    folder: Path
    nodes: tuple[str, ...] = ("bank", "tax", "coordinator")
    clock: Clock = field(default_factory=Clock)
    signers: dict[str, NoteSigner] = field(default_factory=dict)
    _open: dict[str, AuditLog] = field(default_factory=dict)

    def path(self, node: str) -> Path:
        return self.folder / f"{node}.db"

    def signer(self, node: str) -> NoteSigner:
        if node not in self.signers:
            self.signers[node] = NoteSigner(f"saferoom/{node}", Ed25519PrivateKey.generate())
        return self.signers[node]

    @property
    def keys(self) -> dict[str, str]:
        return {node: self.signer(node).verifier_key for node in self.nodes}

    def log(self, node: str) -> AuditLog:
        """The node's log, open for writing."""
        if node not in self._open:
            signer = self.signer(node)
            self._open[node] = AuditLog.open(
                self.path(node), origin=signer.name, signer=signer, clock=self.clock
            )
        return self._open[node]

    def record(self, node: str, type_: Any, **fields: Any) -> int:
        """Append one event; gives its index."""
        recorder = Recorder(self.log(node), node=node, software="saferoom 0.1.0 sha256:00")
        return recorder.record(type_, **fields).index

    def witness(self, name: str) -> NoteSigner:
        """A witness's key; a node's own is its log's."""
        key = self.signer(name).private_key
        return NoteSigner(f"saferoom/{name}/witness", key, COSIGNATURE_V1)

    def cosign(self, node: str, *witnesses: str, time_s: int | None = None) -> None:
        """Have witnesses cosign the node's newest checkpoint."""
        log = self.log(node)
        text = log.checkpoint().partition("\n\n")[0] + "\n"
        seconds = int(time.time()) if time_s is None else time_s
        lines = [self.witness(name).signature_line(text, time_s=seconds) for name in witnesses]
        log.add_cosignatures([cosignature(log.size, line) for line in lines])

    def quorum(self, needed: int, *witnesses: str, max_age_s: float | None = None) -> Quorum:
        return Quorum(needed, tuple(self.witness(name).verifier for name in witnesses), max_age_s)

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def copy(self, folder: Path) -> LogRoom:
        """The same logs in another folder; this room's must be closed."""
        for node in self.nodes:
            shutil.copy(self.path(node), folder)
        return LogRoom(folder, self.nodes, Clock(self.clock.now), dict(self.signers))


def tell_a_story(room: LogRoom) -> None:
    """A contract, a finished job of two parties, one refusal; a transcript that the receiver lacks."""
    agreed: dict[str, Any] = {"contract": CONTRACT, "purpose": PURPOSE}
    in_job = agreed | {"session": JOB}
    for node in room.nodes:
        room.record(node, "node.started")
    for party in PARTIES:
        data = DataObject.of("loans", rows=30_000, columns=["a", "b"])
        room.record(party, "dataset.registered", object=data)
        room.record(party, "contract.drafted", **agreed)
        room.record(party, "contract.approved", actor=Actor(party, on_behalf_of=f"officer-{party}"), **agreed)
    for node in room.nodes:
        room.record(node, "contract.activated", **agreed)
    room.record("coordinator", "job.offered", **in_job)
    for party in PARTIES:
        room.record(party, "job.accepted", **in_job)
    for node in room.nodes:
        room.record(node, "job.started", **in_job)
    for giver, taker in (PARTIES, PARTIES[::-1]):
        told = DisclosureRef.of("intersection", taker, [12_345], protocol="align/positions")
        room.record(giver, "disclosure", disclosure=told, **in_job)
        talk(room, giver, taker, 0, "align", in_job)
        heard = PeerRef(giver, "received")
        room.record(taker, "disclosure", disclosure=told, peer=heard, **in_job)
    talk(room, "bank", "tax", 1, "train", in_job, hidden_by="tax")
    room.record(
        "bank",
        "disclosure",
        outcome="refused",
        reason="the contract names no such recipient",
        disclosure=DisclosureRef.of("score", "tax", [12_345]),
        **in_job,
    )
    for party in PARTIES:
        room.record(party, "psi.done", object=DataObject.of("", rows=12_345), **in_job)
        room.record(party, "model.stored", **in_job)
    for node in room.nodes:
        room.record(node, "job.finished", **in_job)


def talk(
    room: LogRoom,
    sender: str,
    receiver: str,
    cut: int,
    phase: str,
    in_job: dict[str, Any],
    *,
    hidden_by: str = "",
    lied_by: str = "",
) -> None:
    """One stretch of a conversation at its three logs. One may leave it out, one may lie."""

    def peer(node: str, org: str, direction: Direction, to: str = "") -> PeerRef:
        digest = sha256(f"{sender}>{receiver} {cut} {node == lied_by}".encode()).hexdigest()
        at = phase if direction != "relayed" else ""
        return PeerRef(org, direction, 3 * (cut + 1), "100-999", digest, to, cut, at)

    told = {
        sender: ("transcript", peer(sender, receiver, "sent")),
        "coordinator": ("relay.envelope", peer("coordinator", sender, "relayed", receiver)),
        receiver: ("transcript", peer(receiver, sender, "received")),
    }
    for node, (type_, said) in told.items():
        if node != hidden_by:
            room.record(node, type_, peer=said, **in_job)


def evidence_of(room: LogRoom, *nodes: str, quorum: Quorum | None = None) -> Evidence:
    """The room's logs opened with their owners' keys, and verified."""
    paths = [room.path(node) for node in nodes or room.nodes]
    evidence = Evidence.open(paths, Reliance.of(room.keys.values(), quorum=quorum))
    evidence.verify_all()
    return evidence


def evidence_unverified(room: LogRoom) -> Evidence:
    """The room's logs opened with their owners' keys."""
    return Evidence.open([room.path(node) for node in room.nodes], Reliance.of(room.keys.values()))


def large_log(folder: Path, entries: int) -> LogRoom:
    """A bank's log of a hundred contracts and many jobs, written in large batches, and closed."""
    room = LogRoom(folder, ("bank",))
    room.log("bank").append_many(_many(entries))
    room.close()
    return room


def _many(entries: int) -> Iterator[Event]:
    for number in range(entries):
        moment = START + timedelta(seconds=2 * number)
        kind: EventType = ("transcript", "disclosure", "score.one", "disclosure", "transcript")[number % 5]
        refused = kind == "disclosure" and number % 97 == 0
        yield Event(
            event_id=f"{number:032x}",
            type=kind,
            stage=STAGE_OF[kind],
            time=f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            node="bank",
            software="saferoom 0.1.0 sha256:00",
            outcome="refused" if refused else "allowed",
            reason="the quota is used up" if refused else "",
            actor=Actor("bank", id=f"staff-{number % 37}", role="modeller"),
            contract=ContractRef(f"contract-{number // 50 % 100}", "ab" * 32),
            purpose=PURPOSE,
            object=DataObject.of("loans", rows=1) if kind == "score.one" else None,
            disclosure=DisclosureRef.of("score", "tax", [40]) if kind == "disclosure" else None,
            peer=PeerRef("tax", "sent", 2, "100-999", "11" * 32) if kind == "transcript" else None,
            session=f"job-{number // 50}",
        )


def visitor(evidence: Evidence, lang: str = "en") -> TestClient:
    """A browser that has logged in."""
    tokens: list[str] = []
    access = Access(tokens.append)
    access.invite()
    client = TestClient(create_app(Desk(evidence, access, lang)), base_url=ORIGIN)
    entered = client.post("/login", data={"token": tokens[-1]}, headers={"origin": ORIGIN})
    assert entered.status_code == 200
    return client
