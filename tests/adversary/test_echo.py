"""A party that tells two others different values is caught before anything is released, and named."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
import pytest

from saferoom.channel.codec import decode, encode
from saferoom.channel.session import Session
from saferoom.errors import PeerError, SafeRoomError
from saferoom.models.scorecard.vif import deal_leave_out_collinear, leave_out_collinear
from saferoom.protocols.comparison import deal_below, share_below
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.protocols.shared_bits import reveal_bits
from saferoom.sharing.values import MaskedShare, Share
from tests.boosting_room import random_room as trees_room
from tests.label_room import LabelRoom, random_room
from tests.leaf_room import leaf_room
from tests.logistic_room import play_logistic, synthetic
from tests.numeric_room import Room
from tests.two_faced import Tensors, TwoFacedNetwork

LIAR, VICTIM = "p1", "p2"


class Told(Room):
    """A room whose p1 tells p2 something else at the first step of a name. `errors`: by party."""

    def __init__(self, label: str, **lie: Any) -> None:
        self.lies: list[TwoFacedNetwork] = []
        self.errors: dict[str, SafeRoomError] = {}
        super().__init__(network=partial(self._network, label=label, **lie))

    def _network(self, tap: Any, **lie: Any) -> TwoFacedNetwork:
        self.lies.append(TwoFacedNetwork(tap, liar=LIAR, victim=VICTIM, **lie))
        return self.lies[-1]

    def run(self, k: int, party: Callable[[Session, int], Any], helper: Any) -> Any:
        def kept(session: Session, index: int) -> Any:
            try:
                return party(session, index)
            except SafeRoomError as error:
                self.errors[session.me] = error
                raise

        return super().run(k, kept, helper)

    def steps(self, name: str, senders: Collection[str] | None = None) -> list[str]:
        """Steps under which something was said by these, with this in their name; digests apart."""
        said = [(sender, decode(message)[0]) for sender, _, message in self.played.messages]
        return [
            label
            for sender, label in said
            if name in label and not label.endswith("/echo") and (senders is None or sender in senders)
        ]


def assert_caught(room: Told, k: int, play: Callable[[], Any], released: str) -> None:
    """Every honest one of k who heard ends in an error that names liar and step, and releases nothing.

    Without the shares of all parties there is nothing to be known.
    """
    with pytest.raises(PeerError):
        play()
    assert room.lies[0].has_lied
    honest = [f"p{i}" for i in range(k) if f"p{i}" != LIAR]
    assert {room.errors[party].party for party in honest} == {LIAR}
    for party in honest:
        error = room.errors[party]
        assert isinstance(error, PeerError)
        assert error.step.endswith("/echo")
        assert "expected one value for all" in error.message and "nothing more was released" in error.remedy
    assert not room.steps(released, honest)


def changed_row(tensors: Tensors) -> Tensors:
    """One row's masked columns: a few scores go wrong, which no check of a training notices."""
    last = tensors[-1].copy()
    last[0] += last.dtype.type(1 << 20)
    return [*tensors[:-1], last]


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("label", ["columns/0", "penalty of subset/square"])
def test_in_a_logistic_training(k: int, label: str) -> None:
    blocks, labels = synthetic(2_000, [2] * k)
    room = Told(label, change=changed_row)
    assert_caught(room, k, lambda: play_logistic(blocks, labels, room=room), "release/")
    assert not room.steps("evaluate/")


@pytest.mark.parametrize("k", [3, 5])
def test_before_joint_scores_are_summed(k: int) -> None:
    room = Told("opened")

    def party(session: Session, _: int) -> Any:
        session.open("opened", MaskedShare(np.zeros(3, np.uint64), 0))
        pads = PairwisePads.agree(session)
        return masked_sum(session, np.ones(4), "p0", pads, step=2.0**-6)

    assert_caught(room, k, lambda: room.run(k, party, None), "part")


def compare(room: Room, k: int) -> Any:
    def party(session: Session, _: int) -> Any:
        numbers = Share(np.full(100, 7, np.uint32), 0)
        bits = share_below(session, receive_seed(session), "below", numbers, [40, 60])
        return reveal_bits(session, "grade", "p0", bits, kind="grades", shape=(100,))

    return room.run(k, party, lambda s: deal_below(deal_seeds(s), s, "below", 100, 2))


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("label", ["below/open", "lower digits/open", "higher digits/open"])
def test_where_grades_alone_are_released(k: int, label: str) -> None:
    room = Told(label)
    assert_caught(room, k, lambda: compare(room, k), "grade")


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize(
    "label",
    ["columns/columns/0", "correlations/weights", "correlations/columns/p2", "inverse/step=0/rest/factor"],
)
def test_in_variance_inflation_factors(k: int, label: str) -> None:
    rng = np.random.default_rng(k)
    room = Told(label)

    def party(session: Session, _: int) -> Any:
        return leave_out_collinear(session, rng.normal(size=(300, 2)), label_holder="p0", most=1000.0)

    def play() -> Any:
        return room.run(k, party, lambda s: deal_leave_out_collinear(s, "p0"))

    hearers = 3 if label.endswith("p2") else k  # later parties do not read an earlier one's columns
    assert_caught(room, hearers, play, "told")
    assert not room.steps("factors")


@pytest.mark.parametrize("k", [4, 5])
def test_in_sums_of_leaves_among_the_feature_holders(k: int) -> None:
    """The label holder hears nothing of what they open among each other, but of those who do."""
    leaves, room = leaf_room(k, 80, [8, 4]), Told(f"all={k - 1}/open")
    with pytest.raises(PeerError):
        room.play(k, leaves.party, leaves.dealer)
    assert {room.errors[f"p{i}"].party for i in range(2, k)} == {LIAR}
    assert not room.steps("sums", [f"p{i}" for i in range(2, k)])


def swapped(tensors: Tensors) -> Tensors:
    """Two ciphertexts change places: good ones, of another row's label."""
    return [*tensors[:-1], tensors[-1][[1, 0, *range(2, len(tensors[-1]))]]]


def by_the_bank(monkeypatch: pytest.MonkeyPatch, room: str, label: str) -> None:
    """In that room the bank tells power something else than tax."""
    lying = partial(TwoFacedNetwork, liar="bank", victim="power", label=label, change=swapped)
    monkeypatch.setattr(f"tests.{room}.MemoryNetwork", lying)


def test_labels_that_are_not_the_same_at_all_who_count(monkeypatch: pytest.MonkeyPatch) -> None:
    by_the_bank(monkeypatch, "label_room", "labels/row=0")
    room: LabelRoom = random_room(3)
    with pytest.raises(PeerError) as error:
        room.run()
    assert error.value.step == "before labels/echo"
    assert not [label for _, _, label, _ in room.said if label in ("sums", "total", "events")]


def test_gradients_that_are_not_the_same_at_all_who_grow_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found at the end of the tree: no second one is begun, and no tree is kept."""
    by_the_bank(monkeypatch, "boosting_room", "gradients/row=0")
    room = trees_room(("bank", "tax", "power"))
    assert not room.run()
    assert {room.errors[party].party for party in ("tax", "power")} == {"bank"}
    assert not [label for _, _, label, _ in room.said if label.startswith("tree=1")]
    assert not room.grown


# Honest parties, and liars about what they heard -----------------------------------------------------


@pytest.mark.parametrize(("k", "messages"), [(2, 0), (3, 6), (5, 20)])
def test_honest_parties_swap_one_digest_each_way(k: int, messages: int) -> None:
    """Where there are two there is nobody to tell apart, and nothing is sent."""
    room = Room()
    played = compare(room, k)
    assert np.unpackbits(played.results[0], axis=1, count=100).tolist() == [
        [7 * k < 40] * 100,
        [7 * k < 60] * 100,
    ]
    said = [decode(message) for _, _, message in played.messages]
    echoes = [one for one in said if one[0] == "before grade/echo"]
    assert len(echoes) == messages
    assert all(tensors[0].shape == (k, 32) for _, tensors in echoes)


def claims(change: dict[tuple[str, str], str]) -> dict[str, SafeRoomError]:
    """Errors where, of three that opened one value, p1 says to a party that of a sender it knows other."""
    room = Told("nothing")

    class Lying(TwoFacedNetwork):
        def put(self, sender: str, receiver: str, message: bytes) -> None:
            label, tensors = decode(message)
            sender_of = change.get((sender, receiver))
            if label == "before x/echo" and sender_of:
                bent = tensors[0].copy()
                bent[int(sender_of[1])] ^= 1
                message = b"".join(encode(label, [bent]))
            super().put(sender, receiver, message)

    room.network = partial(Lying, liar=LIAR, victim=VICTIM, label="nothing")

    def party(session: Session, _: int) -> Any:
        session.open("opened", MaskedShare(np.zeros(3, np.uint64), 0))
        return session.reveal("x", "p0", Share(np.ones(2, np.uint64), 0), kind="score")

    with pytest.raises(PeerError):
        room.run(3, party, None)
    return room.errors


def test_who_says_that_we_sent_something_else_is_named() -> None:
    found = claims({("p1", "p0"): "p0"})
    assert found["p0"].party == "p1"
    assert "it says that it heard other values than we sent" in found["p0"].message


def test_who_says_that_it_sent_something_else_is_named() -> None:
    found = claims({("p1", "p0"): "p1"})
    assert found["p0"].party == "p1"
    assert "by its own word" in found["p0"].message


def test_of_a_third_partys_messages_two_cannot_know_who_lies_and_the_text_says_so() -> None:
    found = claims({("p1", "p2"): "p0"})
    assert found["p2"].party == "p0"
    assert "it told p1 other values than us, or p1 says so falsely" in found["p2"].message
    assert "in step 'opened'" in found["p2"].message
