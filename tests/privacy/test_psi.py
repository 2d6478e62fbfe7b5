"""What alignment shows to whom: the helper sees pseudonyms it cannot turn back, a party only positions."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np

from saferoom.channel.codec import decode
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.kinds.learns import DISCLOSURES
from saferoom.protocols.psi import DUMMIES, align, match
from tests.waiting import LIMIT_S

PARTIES = ("bank", "tax", "power")
HELPER = "helper"
IDS = [f"91510100MA{i:07d}X" for i in range(300)]
SETS = {"bank": IDS[:200], "tax": IDS[100:], "power": IDS[50:250]}


def watched_run() -> tuple[list[tuple[str, str, bytes]], dict[str, list[Disclosure]]]:
    sent: list[tuple[str, str, bytes]] = []
    declared: dict[str, list[Disclosure]] = {name: [] for name in (*PARTIES, HELPER)}
    network = MemoryNetwork(tap=lambda *message: sent.append(message))
    ends = {
        name: Session(
            network.endpoint(name),
            PARTIES,
            helper=HELPER,
            timeout_s=LIMIT_S,
            on_disclosure=declared[name].append,
        )
        for name in declared
    }
    roles: dict[str, Any] = {p: lambda p=p: align(ends[p], SETS[p]) for p in PARTIES}
    run_together({**roles, HELPER: lambda: match(ends[HELPER])}, network)
    return sent, declared


def tokens_at_helper(sent: list[tuple[str, str, bytes]]) -> dict[str, set[bytes]]:
    seen = {}
    for sender, receiver, message in sent:
        label, tensors = decode(message)
        if receiver == HELPER and label == "tokens":
            seen[sender] = {row.tobytes() for row in tensors[0]}
    return seen


def test_the_helper_gets_sizes_and_tokens_and_never_the_key() -> None:
    sent, _ = watched_run()
    assert {decode(m)[0] for _, receiver, m in sent if receiver == HELPER} == {"size", "tokens"}
    (key,) = {decode(m)[1][0].tobytes() for _, _, m in sent if decode(m)[0] == "key"}
    assert all(key not in message for _, receiver, message in sent if receiver == HELPER)
    assert {receiver for _, receiver, m in sent if decode(m)[0] == "key"} == {"tax", "power"}


def test_enumerating_all_codes_without_the_key_matches_no_token() -> None:
    sent, _ = watched_run()
    seen = set().union(*tokens_at_helper(sent).values())
    for person in (b"", b"saferoom/psi/1"):
        for key in (b"", bytes(32)):
            guesses = {blake2b(i.encode(), digest_size=16, key=key, person=person).digest() for i in IDS}
            assert not guesses & seen


def test_with_the_key_the_tokens_are_what_the_page_says() -> None:
    """The counterpart of the test above: the guess fails for want of the key alone."""
    sent, _ = watched_run()
    (key,) = {decode(m)[1][0].tobytes() for _, _, m in sent if decode(m)[0] == "key"}
    expected = {
        blake2b(i.encode(), digest_size=16, key=key, person=b"saferoom/psi/1").digest() for i in SETS["tax"]
    }
    expected |= {
        blake2b(b"%d" % i, digest_size=16, key=key, person=b"saferoom/dummy/1").digest()
        for i in range(DUMMIES)
    }
    assert tokens_at_helper(sent)["tax"] == expected


def test_tokens_of_two_jobs_cannot_be_linked_and_come_in_another_order() -> None:
    first, second = tokens_at_helper(watched_run()[0]), tokens_at_helper(watched_run()[0])
    assert not first["bank"] & second["bank"]


def test_no_id_travels_to_anybody() -> None:
    sent, _ = watched_run()
    everything = b"".join(message for _, _, message in sent)
    assert not any(i.encode() in everything for i in IDS)


def test_a_party_receives_positions_a_key_digests_and_nothing_else() -> None:
    sent, _ = watched_run()
    received = {(sender, decode(m)[0]) for sender, receiver, m in sent if receiver == "power"}
    assert received == {
        ("bank", "key"), ("bank", "digest"), ("tax", "digest"), (HELPER, "verdict"), (HELPER, "positions")
    }  # fmt: skip


def test_positions_carry_nothing_about_rows_outside_the_intersection() -> None:
    """`bank` gets the same number of positions whether or not others hold rows that it does not."""
    sent, _ = watched_run()
    (positions,) = [decode(m)[1][0] for s, r, m in sent if r == "bank" and decode(m)[0] == "positions"]
    common = set(SETS["bank"]) & set(SETS["tax"]) & set(SETS["power"])
    assert len(positions) == len(common) + DUMMIES
    assert positions.dtype == np.uint32


def test_declared_disclosures_are_the_docstring_s_and_in_the_vocabulary() -> None:
    _, declared = watched_run()
    for party in PARTIES:
        assert {(d.kind, d.to) for d in declared[party]} == {
            *(("intersection", other) for other in PARTIES),
            ("set_sizes", HELPER),
        }
    assert {(d.kind, d.to) for d in declared[HELPER]} == {("intersection", p) for p in PARTIES}
    assert {d.kind for ds in declared.values() for d in ds} <= set(DISCLOSURES)
