"""Those who do not follow the alignment: a helper that leaves some out, a party that brings less."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import PeerError, SafeRoomError, UsageError
from saferoom.protocols import psi
from saferoom.protocols.psi import Query, align, match
from saferoom.sharing.values import Public, Tokens
from tests.waiting import LIMIT_S

NAMES = ("bank", "tax", "power", "water", "gas")
HELPER = "helper"
IDS = [f"91510100MA{i:07d}X" for i in range(1000)]


def ended(
    count: int,
    helper: Callable[[Session], Any],
    parties: dict[str, Callable[[Session], Any]] | None = None,
    declared: list[Disclosure] | None = None,
) -> dict[str, Any]:
    """What becomes of each endpoint: its result or its error. All parties hold all of IDS."""
    network, names = MemoryNetwork(), NAMES[:count]
    ends = {
        name: Session(
            network.endpoint(name),
            names,
            helper=HELPER,
            timeout_s=LIMIT_S,
            on_disclosure=None if declared is None else declared.append,
        )
        for name in (*names, HELPER)
    }

    def role(name: str) -> Any:
        honest = helper if name == HELPER else lambda s: align(s, IDS)
        try:
            return (parties or {}).get(name, honest)(ends[name])
        except SafeRoomError as error:
            network.close(name, [other for other in ends if other != name])
            return error

    return run_together({name: partial(role, name) for name in ends})


def leaving_out(share: float, seed: int = 0) -> Callable[[Session], int]:
    """A helper that tells all parties the same set, less this share of it, drawn at random."""

    def helper(s: Session) -> int:
        honest, rng = psi.intersect, np.random.default_rng(seed)

        def less(sets: Any) -> Any:
            common = honest(sets)
            return common[rng.random(len(common)) >= share]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psi, "intersect", less)
            return match(s)

    return helper


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_helper_that_leaves_enterprises_out_at_all_parties_alike_is_named(count: int) -> None:
    """A tenth: it gets away with 0.9**128, one time in 700,000."""
    found = ended(count, leaving_out(0.1))
    errors = [found[name] for name in NAMES[:count]]
    assert all(isinstance(error, PeerError) for error in errors)
    noticed = [error for error in errors if "dummies" in error.message]
    assert noticed
    assert all(error.party.startswith(f"{HELPER} or ") for error in noticed)
    assert all(f"{HELPER} left out" in error.message and error.step == "positions" for error in noticed)


def test_how_often_it_is_seen_is_as_the_page_says() -> None:
    """One in a hundred left out is seen with 1 - 0.99**128 = 0.72."""
    seen = sum(isinstance(ended(2, leaving_out(0.01, seed))["bank"], SafeRoomError) for seed in range(60))
    assert 30 <= seen <= 56, "each outside of this once in 100,000 runs of other seeds"


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_party_that_brings_no_dummies_is_noticed_and_named_as_one_who_may_have(count: int) -> None:
    def brings_none(s: Session) -> Any:
        key = s.receive_one(s.parties[0], "key", (psi.KEY_BYTES,), np.uint8).tobytes()
        tokens = np.sort(psi.tokens_of([*IDS, *(f"x{i}" for i in range(psi.DUMMIES))], key))
        s.send(HELPER, "size", Public(np.array([len(IDS)], dtype=np.uint64)))
        s.send(HELPER, "tokens", Tokens(tokens.view(np.uint8).reshape(-1, psi.TOKEN_BYTES)))
        s.receive(HELPER, "verdict")
        return s.receive(HELPER, "positions")

    found = ended(count, match, {"tax": brings_none})
    error = found["bank"]
    assert isinstance(error, PeerError)
    assert error.party == " or ".join((HELPER, *NAMES[1:count])), "the helper is not blamed alone, we are not"
    assert "128 of them are missing" in error.message
    assert f"{' or '.join(NAMES[1:count])} brought fewer" in error.message


def test_dummies_are_in_no_result_and_in_no_count() -> None:
    declared: list[Disclosure] = []
    found = ended(3, match, declared=declared)
    assert found[HELPER] == len(IDS)
    for name in NAMES[:3]:
        assert sorted(found[name].tolist()) == list(range(len(IDS)))
    assert {d.shape for d in declared if d.kind == "intersection"} == {(len(IDS),)}
    assert {d.shape for d in declared if d.kind == "set_sizes"} == {(1,)}


def test_where_only_dummies_are_common_the_parties_have_nothing_in_common() -> None:
    found = ended(2, match, {"tax": lambda s: align(s, ["another"])})
    assert all(isinstance(error, UsageError) and "in common" in error.message for error in found.values())


def test_a_list_of_one_enterprise_takes_no_more_of_a_query_than_one() -> None:
    query = Query("bank", 1)
    found = ended(
        2,
        lambda s: match(s, query=query),
        {"bank": lambda s: align(s, IDS[5:6], query=query), "tax": lambda s: align(s, IDS, query=query)},
    )
    assert (found["bank"].tolist(), found["tax"].tolist(), found[HELPER]) == ([0], [5], 1)
