"""Releases rounded by chance: on the grid, and right on the average, for any number of parties."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.channel.codec import encode as encoded
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import PeerError, PeerTimeout, RefusedError, ShapeError
from saferoom.protocols.rounded_release import exponent_of, release_rounded, rounded_by_chance
from saferoom.ring.fixed import decode, encode
from saferoom.sharing.values import Share
from tests.numeric_room import Room
from tests.property import examples
from tests.waiting import LIMIT_S

NAMES = ("bank", "tax", "power", "water")
STEP = 2.0**-6


def shares_of(values: Any, parties: int, frac_bits: int, dtype: Any = np.uint64) -> list[Share]:
    words = encode(values, frac_bits, dtype)
    rng = np.random.default_rng(1)
    masks = [rng.integers(0, 2**64, words.shape, dtype=np.uint64).astype(dtype) for _ in range(parties - 1)]
    last = words - sum(masks, np.zeros_like(words))
    return [Share(word, frac_bits) for word in (*masks, last)]


def release(shares: list[Share], step: float = STEP, on_bank: Any = None) -> tuple[dict[str, Any], Any]:
    network = MemoryNetwork()
    names = NAMES[: len(shares)]
    ends = {
        name: Session(network.endpoint(name), names, timeout_s=LIMIT_S, on_disclosure=on_bank)
        for name in names
    }

    def role(name: str, share: Share) -> Any:
        return release_rounded(ends[name], "scores", share, "bank", step=step, kind="score")

    roles = {name: partial(role, name, share) for name, share in zip(names, shares, strict=True)}
    return run_together(roles, network), ends


@pytest.mark.parametrize("parties", [2, 3, 4])
@pytest.mark.parametrize(("frac_bits", "dtype"), [(20, np.uint64), (56, np.uint64), (16, np.uint32)])
def test_what_is_released_lies_on_the_grid_and_is_right_on_the_average(
    parties: int, frac_bits: int, dtype: Any
) -> None:
    exact = np.random.default_rng(2).normal(0, 4, 20_000)
    results, _ = release(shares_of(exact, parties, frac_bits, dtype))
    found = results.pop("bank")
    assert set(results.values()) == {None}
    assert np.array_equal(found, np.rint(found / STEP) * STEP)
    off = (found - exact) / STEP
    assert np.abs(off).max() < parties
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off))
    assert off.std() <= 0.5 * np.sqrt(parties)


def test_a_number_that_stays_the_same_is_rounded_both_ways_as_often_as_it_should_be() -> None:
    value = -3.0 + 0.3 * STEP
    found = decode(rounded_by_chance(Share(encode(np.full(40_000, value), 32), 32), STEP).value, 32)
    assert set(found) == {-3.0, -3.0 + STEP}
    assert (found > -3).mean() == pytest.approx(0.3, abs=0.01)


@examples(50)
@given(st.integers(0, 2**64 - 1), st.integers(1, 60))
def test_a_word_moves_by_less_than_a_step(word: int, drop: int) -> None:
    share = rounded_by_chance(Share(np.array([word], dtype=np.uint64), drop), 1.0)
    moved = int(share.value[0]) - word
    assert int(share.value[0]) % 2**drop == 0
    assert abs((moved + 2**63) % 2**64 - 2**63) < 2**drop


@pytest.mark.parametrize("step", [2.0**-16, 2.0**-32])
def test_digits_that_a_number_does_not_have_are_not_rounded(step: float) -> None:
    share = shares_of(np.arange(4.0), 2, 16)[0]
    assert rounded_by_chance(share, step) is share


@pytest.mark.parametrize("step", [0.3, 3.0, 0.0, -0.5])
def test_a_step_is_a_power_of_two(step: float) -> None:
    with pytest.raises(ShapeError, match="power of two"):
        exponent_of(step)


def test_a_step_as_large_as_the_modulus_is_refused() -> None:
    with pytest.raises(ShapeError, match="modulus"):
        rounded_by_chance(shares_of(np.ones(2), 2, 16, np.uint32)[0], 2.0**16)


@pytest.mark.parametrize("parties", [2, 3, 4])
def test_rounds_and_bytes_are_those_of_the_docstring(parties: int) -> None:
    _, ends = release(shares_of(np.ones(50), parties, 20))
    overhead = sum(len(part) for part in encoded("scores", [np.zeros(0, np.uint64)]))
    for name in NAMES[:parties]:
        sent = {peer: traffic.size_bytes for peer, traffic in ends[name].meter.sent.items()}
        assert ends[name].meter.rounds == 0
        assert set(sent) <= {"bank"}
        assert sent.get("bank", 0) == pytest.approx((name != "bank") * (400 + overhead), abs=8)


def test_it_is_declared_before_anything_is_sent() -> None:
    told: list[Disclosure] = []

    def refuse(disclosure: Disclosure) -> None:
        told.append(disclosure)
        raise RefusedError("not under this contract")

    with pytest.raises(RefusedError):
        release(shares_of(np.ones(3), 2, 20), on_bank=refuse)
    assert {(one.kind, one.to, one.shape) for one in told} == {("score", "bank", (3,))}


def test_a_peer_that_sends_another_shape_or_nothing_is_named() -> None:
    shares = shares_of(np.ones(3), 2, 20)

    def play(other: Any, error: type[Exception]) -> None:
        def party(s: Any, randomness: Any, index: int) -> Any:
            if index == 1:
                return other(s)
            return release_rounded(s, "scores", shares[0], "p0", step=STEP, kind="score")

        with pytest.raises(error) as caught:
            Room(0.2 if error is PeerTimeout else LIMIT_S).play(2, party, lambda *_: None)
        assert caught.value.party == "p1"  # type: ignore[attr-defined]

    play(lambda s: s.reveal("scores", "p0", shares[1][:2], kind="score"), PeerError)
    play(lambda s: None, PeerTimeout)
