"""What a sum of leaves shows: uniform words and bits, as many as sizes say; and one declared disclosure."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from typing import Any

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.errors import RefusedError
from saferoom.kinds.learns import DISCLOSURES
from saferoom.protocols.leaf_sum import leaf_sum
from tests.leaf_room import EXACT, LeafRoom, leaf_room
from tests.numeric_room import HELPER, Played, Room
from tests.uniformity import looks_uniform

ROWS, LEAVES = 3_000, 16
SECRET = {"hidden", "open", "weights", "sums", "bits", "product"}


def constant(k: int, allowed: bool, weight: int = 1 << 22) -> LeafRoom:
    """Everything the same: whatever is not masked shows at once."""
    bits = np.full((ROWS, LEAVES), allowed)
    return LeafRoom([bits] * k, np.full(LEAVES, weight, dtype=np.int64))


def said(played: Played) -> dict[str, list[tuple[str, str, Any]]]:
    """(sender, receiver, tensor) of every message, by the last part of its label; no seeds or nonces."""
    found = defaultdict(list)
    for sender, receiver, message in played.messages:
        label, tensors = decode(message)
        if label not in ("seed", "nonce") and not label.endswith("/echo"):
            assert len(tensors) == 1
            found[label.split("/")[-1]].append((sender, receiver, tensors[0]))
    return found


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("allowed", [False, True])
def test_every_message_is_uniform_even_for_constant_inputs(k: int, allowed: bool) -> None:
    messages = said(constant(k, allowed).run())
    assert set(messages) - {"sizes"} == SECRET - (set() if k > 2 else {"open", "bits"})
    for step in SECRET & set(messages):
        for sender, receiver, tensor in messages[step]:
            assert looks_uniform(tensor.ravel()), (step, sender, receiver)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_what_is_put_together_is_uniform_too(k: int) -> None:
    """The label holder xors what all feature holders hide, and each group what its members open."""
    messages = said(constant(k, True).run())
    assert looks_uniform(reduce(np.bitwise_xor, [tensor for *_, tensor in messages["hidden"]]))
    if k == 3:
        first, second = [tensor for *_, tensor in messages["open"]]
        assert looks_uniform(first) and looks_uniform(second) and looks_uniform(first ^ second)
    (words, *copies) = [tensor for *_, tensor in messages["weights"]]
    assert all(np.array_equal(words, copy) for copy in copies), "of one mask there is one masked value"


def test_repeated_runs_of_one_list_have_nothing_in_common() -> None:
    """The difference of two messages of the same step would cancel a mask used twice."""
    first, second = said(constant(3, True).run()), said(constant(3, True).run())
    for step in SECRET:
        for (*ends, one), (*same, two) in zip(by_ends(first[step]), by_ends(second[step]), strict=True):
            assert ends == same
            assert looks_uniform((one ^ two).ravel()), step


def by_ends(messages: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    return sorted(messages, key=lambda message: message[:2])


def test_no_two_messages_are_equal_and_no_label_comes_twice() -> None:
    played = constant(4, True).run()
    labels, contents = set(), set()
    for sender, receiver, message in played.messages:
        label, tensors = decode(message)
        assert (sender, receiver, label) not in labels
        labels.add((sender, receiver, label))
        if label.split("/")[-1] in SECRET:
            content = (receiver, tensors[0].tobytes())
            assert content not in contents, label
            contents.add(content)


def test_label_holder_and_a_feature_holder_together_do_not_unmask_the_other() -> None:
    """They take off the mask bits that the one of them knows: the other's remain."""
    room, known = constant(3, True), {}

    def party(s: Any, randomness: Any, index: int) -> Any:
        mask = randomness.mask

        def spy(label: str, *rest: Any) -> Any:
            known[s.me, label] = mask(label, *rest)
            return known[s.me, label].copy()

        randomness.mask = spy
        return room.party(s, randomness, index)

    played = Room().play(3, party, room.dealer)
    shown = {sender: tensor for sender, _, tensor in said(played)["hidden"]}
    both = shown["p1"] ^ shown["p2"]
    assert looks_uniform(both ^ known["p1", "hidden"])
    assert looks_uniform(both ^ known["p2", "hidden"])
    assert np.all(both ^ known["p1", "hidden"] ^ known["p2", "hidden"] == 255), "all masks give all bits"
    words = said(played)["weights"][0][2]
    weights = np.abs((words - known["p0", "weights"]).view(np.int32))
    assert np.all(weights == 1 << 22), "the mask gives the weights"


@pytest.mark.parametrize("k", [2, 3, 8])
def test_sizes_alone_determine_what_travels(k: int) -> None:
    """Same rows and leaves: same senders, receivers, labels, types and shapes, and bytes, in either world."""
    worlds = [constant(k, True), constant(k, False, -5), leaf_room(k, ROWS, [8, 8])]
    courses = []
    for room in worlds:
        course = defaultdict(list)
        for sender, receiver, message in room.run().messages:
            label, tensors = decode(message)
            course[sender, receiver].append((label, len(message), [(t.dtype, t.shape) for t in tensors]))
        courses.append(course)
    assert courses[0] == courses[1] == courses[2]


def test_the_same_sums_from_other_leaves_look_the_same_to_the_recipient() -> None:
    """It learns sums: two models whose sums agree give it the same words, whichever leaves rows reach."""
    rng = np.random.default_rng(0)
    bits = rng.random((ROWS, LEAVES)) < 0.5
    turned = LeafRoom([bits, bits[:, ::-1]], np.zeros(LEAVES, dtype=np.int64), recipient="p1")
    plain = LeafRoom([bits, bits], np.zeros(LEAVES, dtype=np.int64), recipient="p1")
    assert np.array_equal(turned.run().results[1], plain.run().results[1])


def test_bits_travel_packed_and_words_are_of_32_bits() -> None:
    messages = said(constant(3, True).run())
    for step in ("hidden", "open"):
        assert all(t.dtype == np.uint8 and t.size == ROWS * LEAVES // 8 for *_, t in messages[step])
    assert all(t.dtype == np.uint32 and t.shape == (ROWS, LEAVES) for *_, t in messages["weights"])
    assert {(t.dtype, t.shape) for *_, t in messages["sums"]} == {(np.dtype(np.uint32), (ROWS,))}


@pytest.mark.parametrize("k", [2, 3])
def test_every_party_declares_the_score_to_the_recipient_and_no_more(k: int) -> None:
    room = constant(k, True)
    room.recipient = "p1"
    played = room.run()
    lines = [(d.kind, d.to, d.shape, d.step) for d in played.disclosures]
    assert lines == [("score", "p1", (ROWS,), "leaf sum/sums")] * k
    assert "score" in DISCLOSURES
    assert {receiver for _, receiver, _ in said(played)["sums"]} == {"p1"}


def test_a_refused_disclosure_shows_no_sum() -> None:
    room = constant(3, True)

    def refuse(_: Any) -> None:
        raise RefusedError("no")

    stage = Room(on_disclosure=refuse)
    with pytest.raises(RefusedError):
        stage.play(3, room.party, room.dealer)
    assert stage.played.messages
    assert not any(decode(message)[0].endswith("/sums") for _, _, message in stage.played.messages)


def test_the_helper_hears_nothing_but_nonces() -> None:
    heard = [decode(one)[0] for _, receiver, one in constant(4, True).run().messages if receiver == HELPER]
    assert heard == ["nonce"] * 4


def test_nothing_of_the_data_stands_in_an_error() -> None:
    room = constant(2, True, 123_456_789)
    room.weights[3] = 987_654_321_987

    def party(s: Any, randomness: Any, index: int) -> Any:
        return leaf_sum(
            s,
            randomness,
            room.reached[index],
            label_holder="p0",
            recipient="p0",
            step=EXACT,
            weights=room.weights if index == 0 else None,
        )

    with pytest.raises(Exception, match="32 bits") as caught:
        Room().play(2, party, room.dealer)
    assert "987" not in str(caught.value)
