"""What a masked sum shows: uniform noise to anybody but the recipient, and to it the sum alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.kinds.learns import DISCLOSURES
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from tests.uniformity import looks_uniform
from tests.waiting import LIMIT_S

PARTIES = ("bank", "tax", "power")
ROWS = 20_000
EXACT = 2.0**-32


def transcript(
    parts: dict[str, np.ndarray[Any, Any]],
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any], dict[str, list[Disclosure]]]:
    """What each party sent to the bank (uint64), the results, and the declared disclosures."""
    sent: list[tuple[str, str, bytes]] = []
    declared: dict[str, list[Disclosure]] = {name: [] for name in parts}
    network = MemoryNetwork(tap=lambda *message: sent.append(message))

    def role(name: str) -> Any:
        s = Session(
            network.endpoint(name), tuple(parts), timeout_s=LIMIT_S, on_disclosure=declared[name].append
        )
        return masked_sum(s, parts[name], "bank", PairwisePads.agree(s), step=EXACT)

    results = run_together({name: lambda name=name: role(name) for name in parts}, network)
    masked = {s: decode(m)[1][1] for s, r, m in sent if decode(m)[0].startswith("part/")}
    assert {r for s, r, m in sent if decode(m)[0].startswith("part/")} == {"bank"}
    return masked, results, declared


@pytest.mark.parametrize("count", [2, 3])
def test_what_is_sent_is_uniform_even_for_constant_parts(count: int) -> None:
    masked, _, _ = transcript({name: np.full(ROWS, 1.0) for name in PARTIES[:count]})
    assert set(masked) == set(PARTIES[1:count])
    for values in masked.values():
        assert looks_uniform(values)


def test_with_three_parties_the_recipient_s_own_pads_do_not_unmask_a_single_part() -> None:
    """The bank takes off what it shares with each: the pads between the others remain."""
    seeds: dict[str, Any] = {}
    sent: list[tuple[str, str, bytes]] = []
    network = MemoryNetwork(tap=lambda *message: sent.append(message))

    def role(name: str) -> Any:
        s = Session(network.endpoint(name), PARTIES, timeout_s=LIMIT_S)
        pads = PairwisePads.agree(s)
        if name == "bank":
            seeds.update({peer: stream.words(ROWS) for peer, stream in pads._added.items()})
            return None
        return masked_sum(s, np.full(ROWS, 1.0), "bank", pads, step=EXACT)

    run_together({name: lambda name=name: role(name) for name in PARTIES}, network)
    for sender, _, message in sent:
        label, tensors = decode(message)
        if label.startswith("part/"):
            assert looks_uniform(tensors[1] + seeds[sender])


def test_parts_of_the_same_sum_leave_transcripts_of_the_same_kind() -> None:
    """Two worlds with equal sums: the recipient's result is the same to the last bit."""
    rng = np.random.default_rng(0)
    one, two = rng.integers(-9, 9, ROWS) / 4, rng.integers(-9, 9, ROWS) / 4
    _, first, _ = transcript({"bank": np.zeros(ROWS), "tax": one, "power": two})
    _, second, _ = transcript({"bank": np.zeros(ROWS), "tax": one + two, "power": np.zeros(ROWS)})
    assert np.array_equal(first["bank"], second["bank"])


def test_pads_of_two_sums_differ() -> None:
    network = MemoryNetwork()

    def role(name: str) -> list[Any]:
        pads = PairwisePads.agree(Session(network.endpoint(name), PARTIES, timeout_s=LIMIT_S))
        return [pads.next(100), pads.next(100)]

    results = run_together({name: lambda name=name: role(name) for name in PARTIES}, network)
    for first, second in results.values():
        assert not np.array_equal(first, second)
    assert not np.any(sum(first for first, _ in results.values()))


def test_every_party_declares_the_score_to_the_recipient_and_no_more() -> None:
    _, _, declared = transcript({name: np.ones(5) for name in PARTIES})
    for disclosures in declared.values():
        assert [(d.kind, d.to, d.shape) for d in disclosures] == [("score", "bank", (5,))]
    assert "score" in DISCLOSURES
