"""Job keys: every two endpoints get one key a direction, and nobody else can make or open them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saferoom.contracts.contract import Contract
from saferoom.errors import VerificationError
from saferoom.ids import COORDINATOR, HELPER
from saferoom.link.sealing import open_job_key
from saferoom.node.processes.job_keys import JobKeyring, JobTerms, job_context
from tests.node_room import PARTIES, Nodes

JOB = JobTerms("ab" * 16, 1, "score", {"model": "m", "rows": 3})
OTHERS = {
    "job": replace(JOB, job_id="cd" * 16),
    "session": replace(JOB, session=2),
    "kind": replace(JOB, kind="train"),
    "parameters": replace(JOB, params={"model": "m", "rows": 4}),
}


@pytest.fixture
def rings(nodes: Nodes, contract: Contract) -> dict[str, JobKeyring]:
    keys = {party: nodes.cores[party].keys for party in PARTIES} | {HELPER: nodes.helper_keys}
    return {name: JobKeyring(own, contract, JOB) for name, own in keys.items()}


def envelopes_for(rings: dict[str, JobKeyring], receiver: str) -> dict[str, bytes]:
    return {sender: ring.envelopes[receiver] for sender, ring in rings.items() if sender != receiver}


def test_both_ends_hold_the_same_keys_the_other_way_round(rings: dict[str, JobKeyring]) -> None:
    opened = {name: ring.open(envelopes_for(rings, name)) for name, ring in rings.items()}
    for me, keys in opened.items():
        assert set(keys) == set(rings) - {me}
        for peer, (send, receive) in keys.items():
            assert (receive, send) == opened[peer][me]
    every = [send for keys in opened.values() for send, _ in keys.values()]
    assert len(set(every)) == len(every) == 12


def test_keys_of_two_jobs_are_strangers(nodes: Nodes, contract: Contract) -> None:
    own = nodes.cores["tax"].keys
    first, second = (JobKeyring(own, contract, job) for job in (JOB, OTHERS["job"]))
    assert not set(first.envelopes.values()) & set(second.envelopes.values())


def test_the_coordinator_opens_none_of_what_passes_it(
    nodes: Nodes, contract: Contract, rings: dict[str, JobKeyring]
) -> None:
    private = nodes.cores[COORDINATOR].keys.sealing_private_bytes()
    pinned = contract.pinned_keys()
    for sender, ring in rings.items():
        for receiver, envelope in ring.envelopes.items():
            context = job_context(contract, JOB, sender, receiver)
            with pytest.raises(VerificationError):
                open_job_key(private, pinned[sender].sealing, envelope, context)


@pytest.mark.parametrize("what", ["missing", "forged", "for another receiver", "changed", *OTHERS])
def test_a_key_that_is_not_right_is_refused_and_its_sender_named(
    nodes: Nodes, contract: Contract, rings: dict[str, JobKeyring], what: str
) -> None:
    envelopes = envelopes_for(rings, "tax")
    if what == "missing":
        del envelopes["bank"]
    elif what == "forged":
        envelopes["bank"] = JobKeyring(nodes.cores["power"].keys, contract, JOB).envelopes["tax"]
    elif what in OTHERS:  # the coordinator told the bank of another job than us
        envelopes["bank"] = JobKeyring(nodes.cores["bank"].keys, contract, OTHERS[what]).envelopes["tax"]
    elif what == "for another receiver":
        envelopes["bank"] = rings["bank"].envelopes["power"]
    else:
        envelopes["bank"] = envelopes["bank"][:-1] + bytes([envelopes["bank"][-1] ^ 1])
    with pytest.raises(VerificationError) as caught:
        rings["tax"].open(envelopes)
    assert (caught.value.party, caught.value.step) == ("bank", "start")
