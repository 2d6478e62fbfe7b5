"""Comparisons with thresholds: exact at every boundary; rounds and bytes as the docstrings say."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from saferoom.errors import MaskReuseError, ShapeError
from saferoom.protocols.comparison import (
    deal_below,
    deal_below_own,
    in_units,
    share_below,
    share_below_own,
)
from saferoom.protocols.shared_bits import (
    deal_any,
    deal_both,
    open_bit,
    reveal_bits,
    share_any,
    share_both,
)
from saferoom.sharing.values import Share
from tests.correlation_cases import total
from tests.numeric_room import HELPER, Played, Room

HEADER = 60  # most bytes of label, dtype and shape in a message
TOP = 2**29
parties = pytest.mark.parametrize("k", [2, 3, 5])
rng = np.random.default_rng(11)


def split(values: Any, k: int, dtype: Any = np.uint32) -> list[Share]:
    """Shares of whole numbers, modulo the words of `dtype`."""
    words = np.asarray(values, dtype=np.int64).astype(dtype)
    parts = [rng.integers(0, np.iinfo(dtype).max, words.shape, dtype, endpoint=True) for _ in range(k - 1)]
    last = words.copy()
    for part in parts:
        last -= part
    return [Share(part, 12) for part in [*parts, last]]


def split_bits(bits: Any, k: int) -> list[Any]:
    parts = [rng.integers(0, 256, bits.shape, np.uint8, endpoint=False) for _ in range(k - 1)]
    return [*parts, total([bits, *parts])]


def unpacked(played: Played, rows: int) -> Any:
    return np.unpackbits(total(played.results), axis=-1, count=rows).astype(bool)


def compare(values: Any, thresholds: list[int], k: int, dtype: Any = np.uint32) -> tuple[Any, Played]:
    shares = split(values, k, dtype)
    played = Room().play(
        k,
        lambda s, d, i: share_below(s, d, "grade", shares[i], thresholds),
        lambda dealer, s: deal_below(dealer, s, "grade", len(values), len(thresholds)),
    )
    return unpacked(played, len(values)), played


def assert_sends(played: Played, me: str, peer: str, expected: int) -> None:
    traffic = played.meters[me].sent[peer]
    assert expected < traffic.size_bytes < expected + HEADER * traffic.messages + 1


@parties
@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_it_is_exact_at_every_boundary(k: int, dtype: Any) -> None:
    thresholds = [100 - TOP // 2, -1, 0, 1, 63, 64, 4096, 262_144, 2**24, TOP // 2 - 100]
    near = [threshold + step for threshold in thresholds for step in (-65, -64, -63, -1, 0, 1, 63, 64, 65)]
    values = np.array([*near, -TOP // 2 + 1, TOP // 2 - 1])
    found, _ = compare(values, thresholds, k, dtype)
    assert np.array_equal(found, values[None, :] < np.array(thresholds)[:, None])


def test_it_is_exact_for_random_numbers_in_several_blocks() -> None:
    values = rng.integers(-TOP // 2, TOP // 2, 140_001)
    found, _ = compare(values, [-3_000_000, 200_012_345], 2)
    assert np.array_equal(found, values[None, :] < np.array([[-3_000_000], [200_012_345]]))


def test_numbers_that_are_too_far_apart_wrap_as_numbers_of_30_bits_do() -> None:
    values = np.array([-TOP, TOP - 1, 2**30 + 5, -(2**30) - 5])
    found, _ = compare(values, [1, -1, 0], 3)
    apart = (values[None, :] - np.array([[1], [-1], [0]]) + TOP) % 2**30 - TOP
    assert np.array_equal(found, apart < 0)


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9])
def test_padding_and_empty_vectors(rows: int) -> None:
    found, played = compare(np.arange(rows) - 4, [0], 3)
    assert np.array_equal(found[0], np.arange(rows) < 4)
    padded = np.unpackbits(total(played.results), axis=-1)
    assert not padded[:, rows:].any()


@parties
def test_its_rounds_and_bytes_are_those_of_its_docstring(k: int) -> None:
    _, played = compare(np.zeros(8_000), [-1, 0, 1], k)
    assert {played.meters[name].rounds for name in Room().names(k)} == {4}
    assert_sends(played, "p0", "p1", 4 * 8_000 + 3 * 12_000)
    dealt = sum(traffic.size_bytes for traffic in played.meters[HELPER].sent.values())
    assert 0 < dealt - (72 * 8_000 + 3 * 6_000) < 1_000


def test_the_dealer_sends_blocks_by_turns() -> None:
    _, played = compare(np.zeros(4 * 65_536), [0], 2)
    sent = [traffic.size_bytes for traffic in played.meters[HELPER].sent.values()]
    assert max(sent) < 1.05 * min(sent)


@pytest.mark.slow
def test_a_million_numbers_of_three_parties_take_seconds_and_few_bytes() -> None:
    """With three thresholds, and the bits revealed to one party. Of what a party sends and receives."""
    rows, zeros = 1_000_000, Share(np.zeros(1_000_000, dtype=np.uint32), 0)

    def party(s: Any, d: Any, _: int) -> Any:
        return reveal_bits(s, "shown", "p0", share_below(s, d, "grade", zeros, [-1, 5, 9]), kind="grades")

    started = time.perf_counter()
    played = Room(keep_messages=False).play(
        3, party, lambda dealer, s: deal_below(dealer, s, "grade", rows, 3)
    )
    assert time.perf_counter() - started < 10
    for name in Room().names(3):
        meter = played.meters[name]
        traffic = [*meter.sent.values(), *meter.received.values()]
        assert sum(one.size_bytes for one in traffic) < 70 * rows


@parties
def test_thresholds_of_one_party_alone(k: int) -> None:
    values, thresholds = rng.integers(-9_000, 9_000, 1_003), [-4_000, 17, 3_333]
    shares = split(values, k)
    played = Room().play(
        k,
        lambda s, d, i: share_below_own(s, d, "grade", shares[i], thresholds if i == 1 else None, 3),
        lambda dealer, s: deal_below_own(dealer, s, "grade", len(values), 3),
    )
    assert np.array_equal(unpacked(played, 1_003), values[None, :] < np.array(thresholds)[:, None])
    assert played.meters["p0"].rounds == 4
    assert_sends(played, "p1", "p0", 3 * 4 * 1_003 + 12 * (3 * 1_003 // 8 + 1))


@pytest.mark.parametrize(("thresholds", "shape"), [([], (3,)), ([TOP], (3,)), ([0], (3, 1))])
def test_what_cannot_be_compared_is_refused(thresholds: list[int], shape: tuple[int, ...]) -> None:
    share = Share(np.zeros(shape, dtype=np.uint32), 0)
    with pytest.raises(ShapeError, match=r"threshold|30 bits") as raised:
        Room().play(2, lambda s, d, _: share_below(s, d, "grade", share, thresholds), lambda *_: None)
    assert raised.value.step == "grade"


def test_shares_of_too_few_bits_are_not_compared() -> None:
    """Dropping low bits shrinks the modulus, too: below 30 bits a comparison would be wrong."""
    assert in_units(Share(np.zeros(1, dtype=np.uint64), 55), 21).frac_bits == 21
    with pytest.raises(ShapeError, match="too few bits"):
        in_units(Share(np.zeros(1, dtype=np.uint64), 56), 21)


def test_a_label_serves_once() -> None:
    shares = split(np.zeros(10), 2)

    def party(s: Any, d: Any, i: int) -> None:
        share_below(s, d, "grade", shares[i], [0])
        with pytest.raises(MaskReuseError):
            share_below(s, d, "grade", shares[i], [0])

    Room().play(2, party, lambda dealer, s: deal_below(dealer, s, "grade", 10, 1))


@parties
def test_products_of_shared_bits(k: int) -> None:
    x, y = (rng.integers(0, 256, (3, 500), np.uint8, endpoint=False) for _ in range(2))
    first, second = split_bits(x, k), split_bits(y, k)
    played = Room().play(
        k,
        lambda s, d, i: share_both(s, d, "both", first[i], second[i]),
        lambda dealer, s: deal_both(dealer, s, "both", (3, 500)),
    )
    assert np.array_equal(total(played.results), x & y)
    assert played.meters["p0"].rounds == 1
    assert_sends(played, "p0", "p1", 2 * 1_500)


@parties
@pytest.mark.parametrize("size_bytes", [1, 2, 7, 33])
def test_any_of_many_bits_opened_as_one(k: int, size_bytes: int) -> None:
    """Not a bit set; each place of the last byte; both places at the ends."""
    places = [[], *([8 * size_bytes - 1 - place] for place in range(8)), [0], [0, 8 * size_bytes - 1]]
    for set_bits in places:
        bits = np.zeros(8 * size_bytes, dtype=np.uint8)
        bits[set_bits] = 1
        shares = split_bits(np.packbits(bits), k)

        def party(s: Any, d: Any, i: int, shares: Any = shares) -> bool:
            return open_bit(s, "bit", share_any(s, d, "any", shares[i]), kind="range_check")

        played = Room().play(k, party, lambda dealer, s: deal_any(dealer, s, "any", size_bytes))
        assert played.results == [bool(set_bits)] * k
        assert played.meters["p0"].rounds == (size_bytes - 1).bit_length() + 4 + (k > 2)
        learnt = {(found.kind, found.to, found.shape, found.step) for found in played.disclosures}
        assert learnt == {("range_check", name, (1,), "bit") for name in Room().names(k)}


@parties
def test_bits_are_revealed_to_one_party_as_declared(k: int) -> None:
    bits = rng.integers(0, 256, (3, 40), np.uint8, endpoint=False)
    shares = split_bits(bits, k)
    played = Room().run(k, lambda s, i: reveal_bits(s, "grades", "p1", shares[i], kind="grades"), None)
    assert np.array_equal(played.results[1], bits)
    assert [result for i, result in enumerate(played.results) if i != 1] == [None] * (k - 1)
    learnt = {(found.kind, found.to, found.shape) for found in played.disclosures}
    assert learnt == {("grades", "p1", (3, 40))}
    assert {receiver for _, receiver, _ in played.messages} == {"p1"}


def test_one_bit_is_a_byte_of_its_own() -> None:
    with pytest.raises(ShapeError, match="one byte"):
        Room().run(2, lambda s, _: open_bit(s, "bit", np.zeros(2, np.uint8), kind="range_check"), None)
