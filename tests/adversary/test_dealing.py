"""A helper that deals an old seed again, to read the difference of two columns that were under one mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Session
from saferoom.errors import PeerError, SafeRoomError
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.sharing.values import MaskedShare, Public, Seed
from tests.numeric_room import HELPER, Room
from tests.waiting import LIMIT_S

SHAPE = (2000,)
OLD_SEED = np.arange(32, dtype=np.uint8)


def deals_again(session: Session) -> Any:
    """A helper that follows the protocol, but for its seeds: each party gets the one of last time."""
    honest = session.send

    def send(to: str, label: str, *values: Any) -> None:
        honest(to, label, *(Seed(OLD_SEED) if isinstance(value, Seed) else value for value in values))

    session.send = send  # type: ignore[method-assign]
    return deal_seeds(session)


def opened(k: int, values: list[Any]) -> Any:
    """What everybody sees of a value of which each party has a share: the sum, under a mask."""

    def party(session: Session, index: int) -> Any:
        mask = receive_seed(session).mask("column", SHAPE)
        return session.open("column", MaskedShare(values[index] + mask, 0))

    return Room().run(k, party, deals_again).results[0]


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_seed_that_is_dealt_again_gives_other_masks(k: int) -> None:
    """Two jobs, a column changed in between: under one mask the openings would differ by the change."""
    rng = np.random.default_rng(k)
    before = [rng.integers(0, 2**64, SHAPE, dtype=np.uint64) for _ in range(k)]
    after = [before[0] + rng.integers(0, 100, SHAPE, dtype=np.uint64), *before[1:]]
    difference = opened(k, after) - opened(k, before)
    large = np.count_nonzero(difference >> np.uint64(63))
    assert abs(large - SHAPE[0] / 2) < 6 * np.sqrt(SHAPE[0] / 4), "uniform, as under two masks"


def ended(k: int, roles: dict[str, Callable[[Session], Any]]) -> dict[str, Any]:
    """What becomes of each endpoint that takes or deals seeds: its result or its error."""
    network, names = MemoryNetwork(), [f"p{i}" for i in range(k)]
    ends = {
        name: Session(network.endpoint(name), names, helper=HELPER, timeout_s=LIMIT_S)
        for name in (*names, HELPER)
    }

    def role(name: str) -> Any:
        try:
            return roles.get(name, deal_seeds if name == HELPER else receive_seed)(ends[name])
        except SafeRoomError as error:
            network.close(name, [other for other in ends if other != name])
            return error

    return run_together({name: lambda name=name: role(name) for name in ends})


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_helper_that_says_another_nonce_of_ours_is_named(k: int) -> None:
    """It would have everybody draw masks that it can draw again, so it says the nonces of last time."""

    def says_old_ones(session: Session) -> None:
        for party in session.parties:
            session.receive(party, "nonce")
        for party in session.parties:
            session.send(party, "seed", Seed(OLD_SEED), Public(np.zeros((k, 32), dtype=np.uint8)))

    found = ended(k, {HELPER: says_old_ones})
    assert all(isinstance(found[f"p{i}"], PeerError) for i in range(k))
    assert found["p0"].party == HELPER
    assert found["p0"].step == "seed"


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_party_that_tells_helper_and_parties_different_nonces_is_noticed(k: int) -> None:
    def says_two(session: Session) -> Any:
        honest = session.send

        def send(to: str, label: str, *values: Any) -> None:
            lie = to == HELPER and label == "nonce"
            honest(to, label, *([Public(np.zeros(32, dtype=np.uint8))] if lie else values))

        session.send = send  # type: ignore[method-assign]
        return receive_seed(session)

    found = ended(k, {"p1": says_two})
    assert isinstance(found["p0"], PeerError)
    assert found["p0"].party == "p1"
    assert "nonce of p1" in found["p0"].message


@pytest.mark.parametrize("nonces", [np.zeros((3, 32), np.uint8), np.zeros((2, 31), np.uint8), np.zeros(64)])
def test_a_seed_without_the_parties_nonces_is_refused(nonces: Any) -> None:
    def deals(session: Session) -> None:
        for party in session.parties:
            session.receive(party, "nonce")
            session.send(party, "seed", Seed(OLD_SEED), Public(nonces))

    found = ended(2, {HELPER: deals})
    assert isinstance(found["p0"], PeerError)
    assert found["p0"].party == HELPER
