"""Keys of one job: made here for every peer, sealed to it under the contract's pinned keys, opened there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.errors import VerificationError
from saferoom.identity.keys import NodeKeys
from saferoom.identity.signing import canonical_json
from saferoom.ids import HELPER
from saferoom.link.sealing import open_job_key, seal_job_key


@dataclass(frozen=True, slots=True)
class JobTerms:
    """What all endpoints of a job must have been told alike: otherwise they cannot talk to each other."""

    job_id: str
    session: int
    kind: str
    params: Mapping[str, Any]


def job_context(contract: Contract, job: JobTerms, sender: str, receiver: str) -> bytes:
    """What a job key is bound to: the contract, the job with its kind and parameters, and the direction."""
    return canonical_json(
        {
            "purpose": "saferoom/job-key/v1",
            "contract": contract_hash(contract).hex(),
            "job": job.job_id,
            "session": job.session,
            "kind": job.kind,
            "params": dict(job.params),
            "sender": sender,
            "receiver": receiver,
        }
    )


class JobKeyring:
    """One endpoint's keys for one job. `envelopes` go out with the acceptance; `open` takes in the peers'."""

    def __init__(self, keys: NodeKeys, contract: Contract, job: JobTerms) -> None:
        self._keys = keys
        self._contract = contract
        self._job = job
        self._pinned = contract.pinned_keys()
        self._send: dict[str, bytes] = {}
        self.envelopes: dict[str, bytes] = {}
        for peer in self._peers():
            context = job_context(contract, job, keys.node_id, peer)
            key, envelope = seal_job_key(keys.sealing_private_bytes(), self._pinned[peer].sealing, context)
            self._send[peer] = key
            self.envelopes[peer] = envelope

    def open(self, envelopes: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
        """(send, receive) keys per peer, hex. Raises VerificationError: missing, forged, of another job."""
        missing = sorted(set(self._peers()) - set(envelopes))
        if missing:
            raise VerificationError("no job key came from the party", party=missing[0], step="start")
        return {
            peer: (self._send[peer].hex(), self._open_one(peer, envelopes[peer]).hex())
            for peer in self._peers()
        }

    def _open_one(self, peer: str, envelope: bytes) -> bytes:
        context = job_context(self._contract, self._job, peer, self._keys.node_id)
        try:
            return open_job_key(
                self._keys.sealing_private_bytes(), self._pinned[peer].sealing, envelope, context
            )
        except VerificationError as error:
            error.party, error.step = peer, "start"
            raise

    def _peers(self) -> list[str]:
        return [node for node in (*sorted(self._contract.parties), HELPER) if node != self._keys.node_id]
