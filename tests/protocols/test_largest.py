"""Which of some shared numbers is the largest: against the plain answer, and what travels."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import ShapeError
from saferoom.protocols.largest import deal_largest, share_largest
from saferoom.protocols.shared_bits import reveal_bits
from saferoom.sharing.values import Share
from tests.numeric_room import Room, Shares


def play(values, k, floor):
    parts = Shares().split(np.asarray(values, dtype=float), k, 0)

    def party(s, randomness, index):
        bits = share_largest(s, randomness, "largest", parts[index], floor)
        shown = reveal_bits(s, "told", "p0", bits, kind="left_out")
        return None if shown is None else np.flatnonzero(np.unpackbits(shown)).tolist()

    return Room().play(k, party, lambda dealer, s: deal_largest(dealer, s, "largest", len(values)))


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize(
    ("values", "floor", "place"),
    [
        ([5, 9, -3, 8], 0, [1]),
        ([5, 9, 9, 8], 8, [1]),  # of equal ones the first
        ([5, 9, 9, 8], 9, []),  # none is above the floor
        ([4], 3, [0]),
        ([4], 4, []),
        ([-(2**21), 2**21, 7], -5, [1]),
    ],
)
def test_the_largest_above_the_floor(k, values, floor, place):
    assert play(values, k, floor).results == [place, *[None] * (k - 1)]


def test_many_numbers():
    values = np.random.default_rng(0).permutation(61) * 1_000
    played = play(values, 3, 10)
    assert played.results[0] == [int(np.argmax(values))]
    # three for the comparisons, six folds of 61 rows, one to tell
    assert max(meter.rounds for meter in played.meters.values()) <= 4 + 6 + 1
    per_peer = max(t.size_bytes for t in played.meters["p1"].sent.values())
    assert per_peer < 4 * 61**2 + 4_000


def test_of_no_numbers_none_is_the_largest():
    with pytest.raises(ShapeError, match="no numbers"):
        Room().play(
            2,
            lambda s, d, i: share_largest(s, d, "l", Share(np.zeros(0, dtype=np.uint64), 0), 1),
            lambda dealer, s: None,
        )
