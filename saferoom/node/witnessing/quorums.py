"""From a contract's terms on witnessing to keys: whose cosignatures count for whose log."""

from __future__ import annotations

from saferoom.audit.formats.note import COSIGNATURE_V1, ED25519, NoteVerifier
from saferoom.audit.witness.quorum import Quorum, witness_name
from saferoom.contracts.contract import Contract
from saferoom.ids import COORDINATOR


def origin_of(node: str) -> str:
    """The name of a node's log."""
    return f"saferoom/{node}"


def node_of(origin: str) -> str:
    """Whose log it is; a successor log's origin ends in a number. Empty if it is no node's."""
    room, _, rest = origin.partition("/")
    node, _, number = rest.partition("/")
    is_successor = number.isdecimal() and number.isascii() and number[0] != "0"
    return node if room == "saferoom" and (not number or is_successor) and "/" not in number else ""


def log_verifier(origin: str, key: bytes) -> NoteVerifier:
    """What checks the checkpoints of the log `origin`, signed with a node's log key (32 bytes)."""
    return NoteVerifier(origin, ED25519, key)


def witness_verifier(node: str, key: bytes) -> NoteVerifier:
    """What checks the cosignatures of a node; the key is its log key (32 bytes)."""
    return NoteVerifier(witness_name(origin_of(node)), COSIGNATURE_V1, key)


def quorum_of(contract: Contract, owner: str) -> Quorum | None:
    """Who must vouch for `owner`'s log under the contract; None if the contract does not say."""
    terms = contract.witnessing
    if terms is None:
        return None
    logs = {node: its.keys for node, its in contract.parties.items()} | {COORDINATOR: contract.coordinator}
    keys = [witness_verifier(node, logs[node].public(node).log) for node in terms.of_log(owner)]
    outside = [NoteVerifier.parse(key) for key in terms.keys]
    return Quorum(terms.quorum, (*keys, *outside), terms.max_age_s)
