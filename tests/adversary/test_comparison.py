"""Peers that send something else in a comparison, or nothing: an error that names party and step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.errors import PeerError, PeerTimeout, SafeRoomError, StepMismatchError
from saferoom.protocols.comparison import deal_below, share_below
from saferoom.protocols.shared_bits import reveal_bits
from saferoom.sharing.values import MaskedBits, Share
from tests.numeric_room import HELPER, Room


def errors_of(own: dict[str, Any], dealt_rows: int = 80, timeout_s: float = 1.0) -> dict[str, SafeRoomError]:
    """Each party's error. `own[party]` is what it does in the place of a comparison of 80 numbers."""
    found: dict[str, SafeRoomError] = {}

    def honest(s: Session, d: Any) -> Any:
        bits = share_below(s, d, "grade", Share(np.zeros(80, dtype=np.uint32), 0), [0, 5])
        return reveal_bits(s, "shown", "p0", bits, kind="grades")

    def party(s: Session, d: Any, _: int) -> Any:
        try:
            return own.get(s.me, honest)(s, d)
        except SafeRoomError as error:
            found[s.me] = error
            raise

    with pytest.raises(SafeRoomError):
        Room(timeout_s).play(3, party, lambda dealer, s: deal_below(dealer, s, "grade", dealt_rows, 2))
    return found


def of_rows(rows: int) -> Any:
    return lambda s, d: share_below(s, d, "grade", Share(np.zeros(rows, dtype=np.uint32), 0), [0, 5])


def test_a_peer_with_other_rows_is_named() -> None:
    found = errors_of({"p1": of_rows(81)})
    assert isinstance(found["p0"], PeerError)
    assert (found["p0"].party, found["p0"].step) == ("p1", "grade/open")


def test_a_peer_at_another_step_is_named() -> None:
    found = errors_of({"p2": lambda s, _: s.open("shown", MaskedBits(np.zeros(80, dtype=np.uint8)))})
    assert isinstance(found["p0"], StepMismatchError) and found["p0"].party == "p2"


def test_a_peer_that_dies_is_named() -> None:
    found = errors_of({"p1": lambda *_: None})
    assert isinstance(found["p0"], PeerTimeout) and found["p0"].party == "p1"


def test_a_dealer_of_other_sizes_is_named() -> None:
    found = errors_of({}, dealt_rows=72)
    assert HELPER in {error.party for error in found.values()}


def test_bits_of_another_size_are_refused_where_they_are_revealed() -> None:
    def short(s: Session, d: Any) -> Any:
        bits = of_rows(80)(s, d)
        return reveal_bits(s, "shown", "p0", bits[:1], kind="grades")

    found = errors_of({"p2": short})
    assert (found["p0"].party, found["p0"].step) == ("p2", "shown")
