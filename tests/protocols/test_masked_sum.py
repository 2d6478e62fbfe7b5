"""Masked sums: right for any number of parties and rows; traffic; refusals, lies, stalls, deaths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.channel.codec import encode
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import PeerError, PeerTimeout, RefusedError, SafeRoomError, UsageError
from saferoom.protocols import masked_sum as module
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.sharing.values import MaskedShare, Public
from tests.property import examples
from tests.waiting import LIMIT_S

NAMES = ("bank", "tax", "power", "water", "gas")
UNIT = 2.0**-32


def sessions(count: int, network: MemoryNetwork, timeout_s: float = LIMIT_S) -> dict[str, Session]:
    return {n: Session(network.endpoint(n), NAMES[:count], timeout_s=timeout_s) for n in NAMES[:count]}


def sum_at(recipient: str, parts: list[np.ndarray[Any, Any]]) -> tuple[dict[str, Any], dict[str, Session]]:
    network = MemoryNetwork()
    ends = sessions(len(parts), network)

    def role(name: str, part: np.ndarray[Any, Any]) -> Any:
        return masked_sum(ends[name], part, recipient, PairwisePads.agree(ends[name]), step=UNIT)

    roles = {n: lambda n=n, p=p: role(n, p) for n, p in zip(NAMES, parts, strict=False)}
    return run_together(roles, network), ends


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("recipient", ["bank", "tax"])
def test_the_recipient_learns_the_sum_and_the_others_nothing(count: int, recipient: str) -> None:
    parts = list(np.random.default_rng(count).normal(0, 3, (count, 1000)))
    results, _ = sum_at(recipient, parts)
    assert np.abs(results[recipient] - sum(parts)).max() <= count * UNIT
    assert all(result is None for name, result in results.items() if name != recipient)


@examples(50)
@given(st.lists(st.floats(-3e8, 3e8), min_size=3, max_size=3))
def test_any_finite_parts_sum_to_a_few_units(values: list[float]) -> None:
    results, _ = sum_at("bank", [np.array([value]) for value in values])
    assert abs(results["bank"][0] - sum(values)) <= 3 * UNIT + 1e-15 * sum(map(abs, values))


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 25])
def test_chunks_cover_every_row(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)
    parts = [np.arange(rows) * scale for scale in (1.0, 0.25, -2.0)]
    results, _ = sum_at("tax", parts)
    assert results["tax"].tolist() == (np.arange(rows) * -0.75).tolist()


def test_several_sums_from_one_agreement_and_to_several_recipients() -> None:
    network = MemoryNetwork()
    ends = sessions(3, network)

    def role(name: str) -> list[Any]:
        s = ends[name]
        pads = PairwisePads.agree(s)
        return [
            masked_sum(s, np.full(n, float(n)), to, pads, step=UNIT)
            for n, to in ((4, "bank"), (2, "tax"), (7, "bank"))
        ]

    results = run_together({name: lambda name=name: role(name) for name in ends}, network)
    assert results["bank"][0].tolist() == [12.0] * 4
    assert results["tax"][1].tolist() == [6.0] * 2
    assert results["bank"][2].tolist() == [21.0] * 7
    assert results["power"] == [None] * 3


@pytest.mark.parametrize("count", [2, 3, 4])
def test_rounds_and_bytes_are_those_of_the_docstring(count: int) -> None:
    n = 50
    _, ends = sum_at("bank", [np.ones(n)] * count)

    def overhead(label: str, *tensors: np.ndarray[Any, Any]) -> int:
        return sum(len(part) for part in encode(label, tensors)) - sum(t.nbytes for t in tensors)

    u8 = np.uint64
    for place, name in enumerate(NAMES[:count]):
        meter = ends[name].meter
        assert meter.rounds <= 1
        for other_place, other in enumerate(NAMES[:count]):
            seed = 32 + overhead("pad-seed", np.zeros(32, np.uint8)) if other_place > place else 0
            part = 8 * n + 16 + overhead("part/row=0", np.zeros(2, u8), np.zeros(n, u8))
            expected = seed + (part if other == "bank" and name != "bank" else 0)
            assert meter.sent[other].size_bytes == (expected if other != name else 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0**30, -(2.0**29.9)])
def test_parts_that_do_not_fit_are_refused_without_showing_them(value: float) -> None:
    with pytest.raises(UsageError) as caught:
        sum_at("bank", [np.array([1.0, value]), np.zeros(2)])
    assert str(value) not in str(caught.value)


def test_a_matrix_is_refused() -> None:
    with pytest.raises(UsageError, match="vectors"):
        sum_at("bank", [np.ones((2, 2)), np.ones((2, 2))])


def test_parties_that_sum_other_rows_are_found_out() -> None:
    with pytest.raises(PeerError):
        sum_at("bank", [np.ones(3), np.ones(4)])


def lie(tensors: list[Any]) -> PeerError:
    network = MemoryNetwork()
    ends = sessions(2, network)

    def liar() -> None:
        PairwisePads.agree(ends["tax"])
        ends["tax"].send("bank", "part/row=0", *tensors)

    def honest() -> Any:
        return masked_sum(ends["bank"], np.ones(3), "bank", PairwisePads.agree(ends["bank"]), step=UNIT)

    with pytest.raises(PeerError) as caught:
        run_together({"bank": honest, "tax": liar}, network)
    assert caught.value.party == "tax"
    assert caught.value.step == "part/row=0"
    return caught.value


ROWS = np.ones(3, dtype=np.uint64)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ([], "a header and"),
        ([MaskedShare(ROWS, 32)], "a header and"),
        ([Public(np.array([3, 0], np.uint64)), MaskedShare(ROWS[:2], 32)], "of our length"),
        ([Public(np.array([3, 0], np.uint64)), Public(np.ones(3))], "a header and"),
        ([Public(np.array([3.0, 0.0])), MaskedShare(ROWS, 32)], "a header and"),
        ([Public(np.array([4, 0], np.uint64)), MaskedShare(ROWS, 32)], "another number of rows"),
        ([Public(np.array([3, 8], np.uint64)), MaskedShare(ROWS, 32)], "elsewhere in the pads"),
        ([Public(np.array([3], np.uint64)), MaskedShare(ROWS, 32)], "another number of rows"),
    ],
)
def test_garbage_is_refused_and_its_sender_named(tensors: list[Any], words: str) -> None:
    assert words in str(lie(tensors))


def test_parties_at_different_places_in_the_pads_do_not_add_noise_in_silence() -> None:
    network = MemoryNetwork()
    ends = sessions(2, network)

    def role(name: str) -> Any:
        pads = PairwisePads.agree(ends[name])
        if name == "tax":
            pads.next(1)
        return masked_sum(ends[name], np.ones(3), "bank", pads, step=UNIT)

    with pytest.raises(PeerError, match="elsewhere in the pads"):
        run_together({name: lambda name=name: role(name) for name in ends}, network)


def run_with(replacement: Callable[[Session], Any], timeout_s: float) -> dict[str, Any]:
    network = MemoryNetwork()
    ends = sessions(3, network, timeout_s)

    def role(name: str) -> Any:
        try:
            if name == "power":
                return replacement(ends[name])
            return masked_sum(ends[name], np.ones(3), "bank", PairwisePads.agree(ends[name]), step=UNIT)
        except SafeRoomError as error:
            network.close(name, [other for other in ends if other != name])
            return error

    return run_together({name: lambda name=name: role(name) for name in ends})


def test_a_party_that_dies_or_stalls_is_named_at_the_recipient() -> None:
    def dies(s: Session) -> None:
        raise PeerError("killed")

    dead = run_with(dies, LIMIT_S)["bank"]
    assert isinstance(dead, PeerError)
    assert dead.party == "power"
    late = run_with(lambda s: None, 1.0)["bank"]
    assert isinstance(late, PeerTimeout)
    assert (late.party, late.step) == ("power", "part/row=0")


def test_a_refused_disclosure_stops_before_a_part_is_sent() -> None:
    sent: list[Any] = []
    network = MemoryNetwork(tap=lambda *message: sent.append(message))

    def refuse(disclosure: Disclosure) -> None:
        assert disclosure == Disclosure("score", "tax", (2,), "part")
        raise RefusedError("no")

    s = Session(network.endpoint("bank"), ("bank", "tax"), on_disclosure=refuse)
    with pytest.raises(RefusedError):
        masked_sum(s, np.ones(2), "tax", PairwisePads({}, {}), step=UNIT)
    assert sent == []
