"""Sums of leaves: equal to the plain sum for any parties, rows and leaves; rounds and bytes as documented."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import MaskReuseError, ShapeError, UsageError
from saferoom.protocols import leaf_terms as module
from saferoom.protocols.all_bits import deal_all, share_all
from saferoom.protocols.leaf_sum import deal_leaf_sum, leaf_sum
from tests.leaf_room import EXACT, LeafRoom, leaf_room
from tests.numeric_room import HELPER, Room
from tests.property import examples

HEADER = 90  # most bytes of label, dtype and shape in a message
TREES = [8, 4, 1, 7]
counts = pytest.mark.parametrize("k", [2, 3, 4, 8])


@counts
@pytest.mark.parametrize("recipient", ["p0", "p1"])
def test_the_recipient_learns_the_sums_and_the_others_nothing(k: int, recipient: str) -> None:
    room = leaf_room(k, 500, TREES, seed=k, recipient=recipient)
    results = dict(zip(Room().names(k), room.run().results, strict=True))
    assert np.array_equal(results.pop(recipient), room.plain)
    assert len(np.unique(room.plain)) > 100
    assert all(result is None for result in results.values())


@pytest.mark.parametrize("label_holder", ["p1", "p2"])
def test_any_party_may_be_the_label_holder(label_holder: str) -> None:
    room = leaf_room(3, 90, TREES, label_holder=label_holder)
    assert np.array_equal(room.run().results[0], room.plain)


@counts
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 16, 25])
def test_steps_cover_every_row(k: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_CELLS", 8 * sum(TREES))
    room = leaf_room(k, rows, TREES, seed=rows)
    assert np.array_equal(room.run().results[0], room.plain)


@counts
def test_no_trees_a_single_leaf_and_many_small_trees(k: int) -> None:
    for trees in ([], [1], [2] * 300):
        room = leaf_room(k, 40, trees)
        assert np.array_equal(room.run().results[0], room.plain)


@examples(25)
@given(st.data())
def test_any_bits_and_any_weights_of_32_bits(data: st.DataObject) -> None:
    """Not only what trees give: sums are right modulo 2**32."""
    k, rows, leaves = (data.draw(st.integers(low, high)) for low, high in ((2, 5), (0, 9), (0, 9)))
    bits = np.random.default_rng(data.draw(st.integers(0, 999))).random((k, rows, leaves)) < 0.8
    words = st.integers(-(2**31), 2**31 - 1)
    weights = np.array(data.draw(st.lists(words, min_size=leaves, max_size=leaves)), dtype=np.int64)
    room = LeafRoom(list(bits), weights)
    assert np.array_equal(room.run().results[0], room.plain)


def test_a_base_margin_is_added_and_progress_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_CELLS", 40 * sum(TREES))
    room = leaf_room(2, 100, TREES, recipient="p1")
    base, told = np.arange(100) - 50, []

    def party(s: Any, randomness: Any, index: int) -> Any:
        mine = {"weights": room.weights, "base_margin": base} if index == 0 else {"weights": None}
        return leaf_sum(
            s,
            randomness,
            room.reached[index],
            label_holder="p0",
            recipient="p1",
            step=EXACT,
            progress=lambda *done: told.append(done) if index == 1 else None,
            **mine,
        )

    assert np.array_equal(Room().play(2, party, room.dealer).results[1], room.plain + base * EXACT)
    assert told == [(40, 100), (80, 100), (100, 100)]


@counts
@pytest.mark.parametrize("recipient", ["p0", "p1"])
def test_rounds_and_bytes_are_those_of_the_docstring(k: int, recipient: str) -> None:
    rows, leaves = 4_000, 16
    played = leaf_room(k, rows, [8, 8], recipient=recipient).run()
    words, bits = 4 * rows * leaves, rows * leaves // 8
    names = Room().names(k)
    holders, levels, echo = names[1:], (k - 2).bit_length(), k > 2
    steps = {a: {b: 0 for b in holders if b != a} for a in holders}
    for group in halvings(tuple(holders)):
        for a in group:
            for b in group:
                if a != b:
                    steps[a][b] += 1
    for a in names:
        meter = played.meters[a]
        assert meter.rounds <= (2 if a == "p0" else 2 + levels) + echo
        for b in names:
            if a != b:
                expected = 24 + 4 * rows * (b == recipient) + 32 * k * echo
                expected += words if a == "p0" else bits if b == "p0" else bits * steps[a][b]
                sent = meter.sent[b]
                assert expected <= sent.size_bytes <= expected + HEADER * sent.messages, (a, b)
    assert max(played.meters[a].rounds for a in holders) == 2 + levels + echo
    assert played.meters["p0"].rounds == (2 if recipient == "p0" else 1 + echo)
    dealt = played.meters[HELPER].sent.values()
    expected = 24 * k + 4 * rows + (k > 2) * words + (k - 2) * bits
    low = sum(t.size_bytes - HEADER * t.messages for t in dealt)
    assert low <= expected <= sum(t.size_bytes for t in dealt)


def halvings(group: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The groups of two parties and more that share something on the way."""
    if len(group) < 2:
        return []
    middle = (len(group) + 1) // 2
    return [group, *halvings(group[:middle]), *halvings(group[middle:])]


@pytest.mark.parametrize("k", [2, 3])
def test_rounds_grow_with_the_steps(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_CELLS", 8 * sum(TREES))
    played = leaf_room(k, 80, TREES).run()
    assert played.meters["p0"].rounds == 1 + 10
    assert 10 <= played.meters["p1"].rounds <= 1 + 10 * (k - 1)


def test_dealt_words_go_to_all_feature_holders_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_CELLS", 8 * sum(TREES))
    sent = leaf_room(3, 160, TREES).run().meters[HELPER].sent
    assert sent["p1"].messages == pytest.approx(sent["p2"].messages, abs=2)
    assert sent["p1"].size_bytes == pytest.approx(sent["p2"].size_bytes, rel=0.1)


def test_memory_does_not_grow_with_the_rows() -> None:
    """Bits are made when they are asked for: 32 million cells, in three threads, never all at a time."""

    class Made:
        shape = (40_000, 800)

        def __getitem__(self, rows: slice) -> Any:
            return np.ones((rows.stop - rows.start, 800), dtype=bool)

    room = LeafRoom([Made(), Made()], np.ones(800, dtype=np.int64))  # type: ignore[list-item]
    tracemalloc.start()
    try:
        played = Room(keep_messages=False).play(2, room.party, room.dealer)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (played.results[0] == 800 * EXACT).all()
    assert peak < 100e6, "128 MB of words travel"


def test_a_second_sum_needs_a_scope_of_its_own() -> None:
    room, found = leaf_room(2, 8, TREES), []

    def party(s: Any, randomness: Any, index: int) -> Any:
        for scope in ("first", "second", "first"):
            with s.scope(scope):
                found.append(room.party(s, randomness, index))

    def dealer(dealer: Any, s: Any) -> None:
        for scope in ("first", "second", "first"):
            with s.scope(scope):
                room.dealer(dealer, s)

    with pytest.raises(MaskReuseError):
        Room().play(2, party, dealer)
    sums = [result for result in found if result is not None]
    assert len(sums) == 2
    assert all(np.array_equal(result, room.plain) for result in sums)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reached": np.ones(4, dtype=bool)}, ShapeError),
        ({"reached": np.ones((4, 3), dtype=np.uint8)}, ShapeError),
        ({"weights": None}, UsageError),
        ({"weights": np.zeros(2, dtype=np.int64)}, ShapeError),
        ({"weights": np.zeros(3)}, ShapeError),
        ({"weights": np.full(3, 2**31)}, UsageError),
        ({"base_margin": np.full(3, 1)}, ShapeError),
        ({"base_margin": np.full(4, -(2**31) - 1)}, UsageError),
        ({"recipient": "nobody"}, UsageError),
        ({"label_holder": "nobody"}, UsageError),
        ({"label_holder": "p1"}, UsageError),
        ({"label_holder": "p1", "weights": None, "base_margin": np.zeros(4, dtype=np.int64)}, UsageError),
    ],
)
def test_calls_that_make_no_sense(changes: dict[str, Any], error: type[Exception]) -> None:
    room = LeafRoom([np.ones((4, 3), dtype=bool)] * 2, np.zeros(3, dtype=np.int64))
    good = {
        "label_holder": "p0",
        "recipient": "p0",
        "step": EXACT,
        "weights": room.weights,
        "reached": room.reached[0],
    }

    def party(s: Any, randomness: Any, index: int) -> Any:
        if index == 1:
            return room.party(s, randomness, index)
        arguments = good | changes
        return leaf_sum(s, randomness, arguments.pop("reached"), **arguments)

    with pytest.raises(error):
        Room().play(2, party, room.dealer)


def test_the_dealer_needs_a_label_holder_of_the_room() -> None:
    with pytest.raises(UsageError):
        Room().play(2, lambda s, d, i: None, lambda dealer, s: deal_leaf_sum(dealer, s, 1, 1, "nobody"))


@pytest.mark.parametrize("group", [("p1",), ("p0", "p2"), ("p2", "p0", "p1"), ("p0", "p1", "p2", "p3", "p4")])
def test_all_bits_of_a_group(group: tuple[str, ...]) -> None:
    bits = np.random.default_rng(0).integers(0, 256, (5, 400), dtype=np.uint8)

    def party(s: Any, randomness: Any, index: int) -> Any:
        return (
            share_all(s, randomness, "all", bits[index], group) if s.me in group else np.zeros(400, np.uint8)
        )

    played = Room().play(5, party, lambda dealer, s: deal_all(dealer, s, "all", 400, group))
    members = [int(name[1]) for name in group]
    assert np.array_equal(np.bitwise_xor.reduce(played.results), np.bitwise_and.reduce(bits[members]))


def test_only_members_and_packed_bits_are_shared() -> None:
    for bits, group in ((np.zeros(3, np.uint32), ("p0", "p1")), (np.zeros(3, np.uint8), ("p1", "p2"))):
        with pytest.raises(ShapeError):
            Room().play(1, lambda s, d, i, b=bits, g=group: share_all(s, d, "all", b, g), lambda *_: None)
