"""Logs of one room on paper: what three honest nodes write of a job, as lists that a test may change."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit.entries.schema import check_event
from saferoom.audit.entries.vocabulary import STAGE_OF
from saferoom.audit.formats.canonical import encode
from saferoom.audit.log.store import Identity
from saferoom.audit.reconcile.findings import Finding, Reconciliation
from saferoom.audit.reconcile.logs import reconcile
from saferoom.audit.reconcile.receipts import DOMAIN, receipt_body
from saferoom.ids import COORDINATOR, HELPER

START = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)
JOB = "11" * 16
CONTRACT = {"id": "c-1", "hash": "22" * 32}
PARTIES = ("bank", "tax")
ENDPOINTS = (*PARTIES, HELPER)
PHASES = ("align", "train", "release")
SIGNING = {name: Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()) for name in ENDPOINTS}
KEYS = {CONTRACT["hash"]: {name: key.public_key().public_bytes_raw() for name, key in SIGNING.items()}}

Event = dict[str, Any]


@dataclass
class PaperLog:
    """A log as `reconcile` reads it."""

    node: str
    events: list[Event] = field(default_factory=list)

    def identity(self) -> Identity:
        return Identity(1, f"saferoom/{self.node}", "")

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        for index, event in enumerate(self.events[start:end], start):
            yield index, encode(event)

    def at(self, type_: str, number: int = 0, **peer: Any) -> int:
        """Index of an entry by its type and what its `peer` says."""
        found = [
            index
            for index, event in enumerate(self.events)
            if event["type"] == type_ and peer.items() <= event.get("peer", {}).items()
        ]
        return found[number]


class PaperRoom:
    """Logs of bank, tax and the coordinator. The clock goes on by a second an entry."""

    def __init__(self) -> None:
        self.logs = {name: PaperLog(name) for name in (*PARTIES, COORDINATOR)}
        self._seconds = 0

    def copy(self) -> PaperRoom:
        return copy.deepcopy(self)

    def all(self) -> list[PaperLog]:
        return list(self.logs.values())

    def write(self, endpoint: str, type_: str, *, job: str = JOB, **fields: Any) -> None:
        log = self.logs[COORDINATOR if endpoint == HELPER else endpoint]
        self._seconds += 1
        event: Event = {
            "v": 1,
            "event_id": f"{self._seconds:032x}",
            "type": type_,
            "stage": STAGE_OF[type_],  # type: ignore[index]
            "time": (START + timedelta(seconds=self._seconds)).isoformat(timespec="milliseconds")[:-6] + "Z",
            "node": log.node,
            "software": "saferoom",
            "outcome": "allowed",
            "actor": {"org": endpoint},
            "contract": dict(CONTRACT),
            **fields,
        }
        if job:
            event["session"] = {"id": job, "seq": len(log.events), "prev_hash": "00" * 32}
        check_event(event)
        log.events.append(event)


def receipt(sender: str, receiver: str, peer: dict[str, Any], signer: str = "") -> str:
    """The sender's word, or somebody else's."""
    body = receipt_body(CONTRACT["hash"], JOB, sender, receiver, peer)
    return SIGNING[signer or sender].sign(f"{DOMAIN}\n".encode() + encode(body)).hex()


def said(sender: str, receiver: str, cut: int) -> dict[str, Any]:
    """What an honest log says of a flow up to a mark."""
    return {
        "cut": cut,
        "messages": 3 * (cut + 1),
        "bytes_bucket": "1000-9999",
        "transcript": sha256(f"{sender}>{receiver} {cut}".encode()).hexdigest(),
    }


def finished_job() -> PaperRoom:
    """A contract made active and one job that everybody finished and nobody lied about."""
    room = PaperRoom()
    for node in (COORDINATOR, *PARTIES):
        room.write(node, "contract.activated", job="")
    room.write(COORDINATOR, "job.offered")
    for party in PARTIES:
        room.write(party, "job.accepted")
    for node in (COORDINATOR, *PARTIES):
        room.write(node, "job.started")
    for cut, phase in enumerate(PHASES):
        _converse(room, cut, phase)
    for party in PARTIES:
        room.write(party, "psi.done", object={"rows_bucket": "1000-9999"})
    for node in (*PARTIES, COORDINATOR):
        room.write(node, "job.finished")
    return room


def broken_job() -> PaperRoom:
    """The same up to the last phase, whose marks never came."""
    room = finished_job()
    for log in room.all():
        log.events = [event for event in log.events if event["type"] != "psi.done"]
        for event in log.events:
            if event["type"] == "job.finished":
                event.update(type="job.failed", outcome="failed", reason="the party has been away")
    last = len(PHASES) - 1
    for log in room.all():
        log.events = [
            event
            for event in log.events
            if not (event.get("peer", {}).get("cut") == last and event["peer"]["direction"] != "sent")
        ]
    return room


def _converse(room: PaperRoom, cut: int, phase: str) -> None:
    flows = [(sender, receiver) for sender in ENDPOINTS for receiver in ENDPOINTS if sender != receiver]
    for sender, receiver in flows:
        what = {"kind": "split", "to": receiver, "protocol": f"{phase}/split"}
        room.write(sender, "disclosure", disclosure=what)
        peer = {"org": receiver, "direction": "sent", "phase": phase, **said(sender, receiver, cut)}
        room.write(sender, "transcript", peer=peer)
    for sender, receiver in flows:
        relayed = {"org": sender, "to": receiver, "direction": "relayed", **said(sender, receiver, cut)}
        room.write(COORDINATOR, "relay.envelope", peer=relayed)
    for sender, receiver in flows:
        what = {"kind": "split", "to": receiver, "protocol": f"{phase}/split"}
        room.write(receiver, "disclosure", disclosure=what, peer={"org": sender, "direction": "received"})
        peer = {"org": sender, "direction": "received", "phase": phase, **said(sender, receiver, cut)}
        room.write(receiver, "transcript", peer=peer | {"receipt": receipt(sender, receiver, peer)})


def invented(room: PaperRoom, signer: str) -> PaperRoom:
    """The tax bureau claims a fourth part of the conversation, with a receipt of its own making."""
    peer = {"org": "bank", "direction": "received", "phase": "after", **said("bank", "tax", len(PHASES))}
    peer["receipt"] = receipt("bank", "tax", peer, signer)
    room.write("tax", "transcript", peer=peer)
    return room


def compared(room: PaperRoom, *nodes: str, **more: Any) -> Reconciliation:
    logs = [room.logs[node] for node in nodes] or room.all()
    return reconcile(logs, keys=KEYS, **more)


def blamed(found: Reconciliation) -> set[tuple[str, str]]:
    return {(finding.kind, finding.by) for finding in found.findings}


def only(found: Reconciliation) -> Finding:
    (finding,) = found.findings
    return finding
