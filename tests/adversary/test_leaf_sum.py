"""Peers that sum something else, send something else, or nothing: an error that names party and step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.errors import PeerError, PeerTimeout, SafeRoomError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.leaf_sum import deal_leaf_sum
from saferoom.sharing.values import Masked, MaskedBits, Public
from tests.leaf_room import LeafRoom, leaf_room
from tests.numeric_room import HELPER, Room
from tests.waiting import LIMIT_S

Bend = Callable[[str], Any]


def errors_of(
    room: LeafRoom,
    *,
    other: LeafRoom | None = None,
    bend: dict[str, Bend] | None = None,
    dealer: Callable[[Dealer, Session], None] | None = None,
    timeout_s: float = LIMIT_S,
) -> dict[str, SafeRoomError]:
    """Each party's error. p1 brings `other` bits; `bend[party]` gives what it sends in place of a step's
    value, or None for the value itself."""
    found: dict[str, SafeRoomError] = {}

    def party(s: Session, randomness: Any, index: int) -> Any:
        bent = (bend or {}).get(s.me)
        if bent is not None:
            send, broadcast = s.send, s.broadcast
            s.send = lambda to, label, *values: send(to, label, *(bent(label) or values))
            s.broadcast = lambda label, *values, **whom: broadcast(label, *(bent(label) or values), **whom)
        try:
            return (other if other is not None and index == 1 else room).party(s, randomness, index)
        except SafeRoomError as error:
            found[s.me] = error
            raise

    with pytest.raises(SafeRoomError):
        Room(timeout_s).play(len(room.reached), party, dealer or room.dealer)
    return found


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(("rows", "trees"), [(81, [8, 4]), (72, [8, 4]), (80, [8, 5]), (80, [])])
def test_a_peer_with_other_rows_or_leaves_is_named_before_anything_is_sent(
    k: int, rows: int, trees: list[int]
) -> None:
    found = errors_of(leaf_room(k, 80, [8, 4]), other=leaf_room(k, rows, trees))
    for party in {"p0", "p1", "p2"} & set(found):
        assert isinstance(found[party], PeerError)
        assert found[party].party == ("p0" if party == "p1" else "p1")
        assert found[party].step == "leaf sum/sizes"
        assert "same model" in found[party].remedy
    assert len(found) == k


@pytest.mark.parametrize(("rows", "leaves"), [(81, 12), (80, 13)])
def test_a_dealer_with_other_sizes_is_named(rows: int, leaves: int) -> None:
    """Its sums of masks would turn all results into noise."""
    found = errors_of(
        leaf_room(2, 80, [8, 4]), dealer=lambda dealer, s: deal_leaf_sum(dealer, s, rows, leaves, "p0")
    )
    assert {error.party for error in found.values()} == {HELPER}


BITS = 80 * 12 // 8


@pytest.mark.parametrize(
    ("liar", "step", "value", "victim"),
    [
        ("p1", "hidden", MaskedBits(np.zeros(BITS + 1, np.uint8)), "p0"),
        ("p1", "hidden", Masked(np.zeros(BITS, np.uint32), 0), "p0"),
        ("p2", "hidden", MaskedBits(np.zeros((2, BITS // 2), np.uint8)), "p0"),
        ("p1", "open", MaskedBits(np.zeros(BITS - 1, np.uint8)), "p2"),
        ("p0", "weights", Masked(np.zeros((80, 11), np.uint32), 22), "p1"),
        ("p0", "weights", Masked(np.zeros((80, 12), np.uint64), 22), "p2"),
        ("p0", "sizes", Public(np.zeros(3, np.uint32)), "p1"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused_and_its_sender_named(
    liar: str, step: str, value: Any, victim: str
) -> None:
    found = errors_of(
        leaf_room(3, 80, [8, 4]), bend={liar: lambda label: (value,) if label == step else None}
    )
    error = found[victim]
    assert isinstance(error, PeerError)
    assert error.party == liar
    assert error.step.startswith("leaf sum/") and error.step.endswith(step)


def test_two_tensors_where_one_belongs_are_refused() -> None:
    pair = (MaskedBits(np.zeros(BITS, np.uint8)),) * 2
    found = errors_of(leaf_room(2, 80, [8, 4]), bend={"p1": lambda step: pair if step == "hidden" else None})
    assert (found["p0"].party, found["p0"].step) == ("p1", "leaf sum/row=0/hidden")


def test_a_peer_that_says_nothing_is_named() -> None:
    room, found = leaf_room(3, 80, [8, 4]), {}

    def party(s: Session, randomness: Any, index: int) -> Any:
        if index == 1:
            with s.scope("leaf sum"):
                s.broadcast("sizes", Public(np.array([80, 12, 0], np.uint64)))
            return None
        try:
            return room.party(s, randomness, index)
        except PeerTimeout as error:
            found[s.me] = error.party, error.step
            return None

    Room(2.0).play(3, party, room.dealer)
    assert found == {"p0": ("p1", "leaf sum/row=0/hidden"), "p2": ("p1", "leaf sum/row=0/leaves/all=2/open")}


def test_a_peer_that_dies_is_named() -> None:
    class Death(Exception):
        pass

    def die(label: str) -> None:
        if label == "hidden":
            raise Death

    room, found = leaf_room(2, 80, [8, 4]), {}

    def party(s: Session, randomness: Any, index: int) -> Any:
        if index == 1:
            s.send = lambda to, label, *values: die(label)
            return room.party(s, randomness, index)
        try:
            return room.party(s, randomness, index)
        except PeerError as error:
            found["p0"] = error
            raise

    with pytest.raises((Death, PeerError)):
        Room().play(2, party, room.dealer)
    assert found["p0"].party == "p1"


def test_a_peer_with_another_label_holder_is_named() -> None:
    room = leaf_room(3, 80, [8, 4])
    found = errors_of(room, other=LeafRoom(room.reached, room.weights, label_holder="p1"))
    assert {party: error.party for party, error in found.items()} == {"p0": "p1", "p1": "p0", "p2": "p1"}
