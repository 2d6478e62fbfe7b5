"""Every correlation: the shares that parties take are uniform, and add up to its value of the whole masks.

From a helper that deals, and from an oracle that sees nothing but what parties hand over.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.errors import MaskReuseError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Randomness
from tests.correlation_cases import CASES, Case, Words, every_correlation, total
from tests.numeric_room import Room
from tests.oracle import Oracle
from tests.uniformity import looks_uniform

parties = pytest.mark.parametrize("k", [2, 3, 4])
every = pytest.mark.parametrize("name", CASES)
providers = pytest.mark.parametrize("provider", ["helper", "oracle"])


def case_of(name: str, k: int) -> Case:
    return CASES[name](tuple(Room().names(k)))


def play(case: Case, k: int, provider: str = "helper") -> tuple[dict[str, Any], dict[str, Any]]:
    """What each party drew, and the shares of those that take. Everybody tries to take, and deal, twice."""
    names = Room().names(k)

    def party(s: Session, randomness: Randomness, index: int) -> Any:
        drawn, operands = case.draw(s, randomness)
        if s.me not in (case.among or names):
            return drawn, None
        share = randomness.take("value", case.correlation, *operands, among=case.among)
        with pytest.raises(MaskReuseError):
            randomness.take("value", case.correlation, *operands, among=case.among)
        return drawn, share

    def dealer(dealer: Dealer, s: Session) -> None:
        masks = case.dealer(dealer, s)
        dealer.deal("value", case.correlation, *masks, among=case.among)
        with pytest.raises(MaskReuseError):
            dealer.deal("value", case.correlation, *masks, among=case.among)

    oracle = Oracle()
    played = (
        Room().play(k, party, dealer)
        if provider == "helper"
        else Room().run(k, lambda s, index: party(s, oracle.end(s), index), None)
    )
    results = dict(zip(names, played.results, strict=True))
    shares = {name: share for name, (_, share) in results.items() if share is not None}
    return {name: drawn for name, (drawn, _) in results.items()}, shares


@parties
@every
@providers
def test_shares_add_up_to_the_value_of_the_whole_masks(provider: str, name: str, k: int) -> None:
    case = case_of(name, k)
    drawn, shares = play(case, k, provider)
    expected = case.correlation.value(*case.whole(drawn))
    assert (expected.shape, expected.dtype) == (case.correlation.shape, case.correlation.dtype)
    assert all(share.shape == expected.shape for share in shares.values())
    assert are_equal(total(shares.values()), expected, exactly=provider == "helper" or "waves" not in name)
    assert len(np.unique(expected)) > 1


def are_equal(found: Words, expected: Words, *, exactly: bool) -> bool:
    """Exactly, or but for the rounding of waves."""
    if exactly:
        return np.array_equal(found, expected)
    signed = (found - expected).view(np.int32 if found.dtype == np.uint32 else np.int64)
    return bool(np.abs(signed).max() <= 1)


@parties
@every
def test_every_single_share_is_uniform(name: str, k: int) -> None:
    _, shares = play(case_of(name, k), k)
    for share in shares.values():
        assert looks_uniform(share.ravel())


@every
def test_a_value_is_a_new_array(name: str) -> None:
    case = case_of(name, 2)
    whole = case.whole(play(case, 2)[0])
    value = case.correlation.value(*whole)
    for mask in whole:
        assert not isinstance(mask, np.ndarray) or not np.shares_memory(mask, value)


def test_no_correlation_is_without_a_case() -> None:
    assert {type(case_of(name, 3).correlation) for name in CASES} == every_correlation()


def test_correlations_are_frozen_and_say_what_they_are() -> None:
    for one in every_correlation():
        assert is_dataclass(one) and one.__dataclass_params__.frozen, one  # type: ignore[attr-defined]
        assert one.__doc__ and "Mask" in one.__doc__, one
        assert one.__slots__ == tuple(field.name for field in fields(one)), one
