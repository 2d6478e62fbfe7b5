"""A daemon's side of transcripts: receipts signed and checked, and everything logged in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit.entries.events import DisclosureRef, Event, PeerRef
from saferoom.audit.entries.vocabulary import Direction, bucket
from saferoom.audit.reconcile.receipts import DOMAIN, check_receipt, receipt_body
from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.errors import VerificationError
from saferoom.identity.signing import sign_statement
from saferoom.node.core import Core


def write_cut(
    core: Core, contract: Contract, job_id: str, me: str, key: Ed25519PrivateKey, cut: Mapping[str, Any]
) -> dict[str, str]:
    """Log a cut that the job process of endpoint `me` reports; gives receipts for what was sent, by peer.

    Raises: VerificationError if a peer's receipt is not its signature over what came; that is logged first.
    """
    terms = (contract_hash(contract).hex(), job_id)
    shared: dict[str, Any] = {"contract": contract, "job": job_id, "by": "" if me == core.me else me}
    receipts, events = {}, []
    for item in cut["sent"]:
        peer = _peer_ref(item, "sent")
        events.append(_transcript(core, peer, shared))
        if peer.cut is not None:
            body = receipt_body(*terms, me, peer.org, asdict(peer))
            receipts[peer.org] = sign_statement(key, DOMAIN, body).hex()
    for item in cut["received"]:
        peer = _peer_ref(item, "received")
        if peer.cut is not None:
            _check_receipt(core, contract, receipt_body(*terms, peer.org, me, asdict(peer)), peer, shared)
        events += [_heard_disclosure(core, peer.org, me, one, shared) for one in item.get("disclosures", [])]
        events.append(_transcript(core, peer, shared))
    core.record_all(events)
    return receipts


def _check_receipt(
    core: Core, contract: Contract, body: Mapping[str, Any], peer: PeerRef, shared: Mapping[str, Any]
) -> None:
    try:
        check_receipt(contract.pinned_keys()[peer.org].signing, body, peer.receipt)
    except VerificationError as error:
        peer = PeerRef(org=peer.org, direction=peer.direction, cut=peer.cut, messages=peer.messages)
        core.record("transcript", outcome="refused", reason=error.message, peer=peer, **shared)
        raise


def _transcript(core: Core, peer: PeerRef, shared: Mapping[str, Any]) -> Event:
    outcome = "failed" if peer.cut is None else "allowed"
    return core.event("transcript", outcome=outcome, peer=peer, **shared)


def _heard_disclosure(
    core: Core, sender: str, me: str, item: Mapping[str, Any], shared: Mapping[str, Any]
) -> Event:
    heard = DisclosureRef.of(str(item["kind"]), me, item["shape"], protocol=str(item["step"]))
    return core.event("disclosure", disclosure=heard, peer=PeerRef(sender, "received"), **shared)


def _peer_ref(item: Mapping[str, Any], direction: Direction) -> PeerRef:
    return PeerRef(
        org=str(item["peer"]),
        direction=direction,
        cut=item["cut"],
        phase=str(item["phase"]),
        messages=int(item["messages"]),
        bytes_bucket=bucket(int(item["size_bytes"])),
        transcript=str(item["digest"]),
        receipt=str(item.get("receipt", "")),
    )
