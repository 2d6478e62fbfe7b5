"""Counting events shows the label holder counts it cannot place, a feature holder its own bins alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from gmpy2 import mpz
from scipy.stats import chisquare

from saferoom.channel.memory import MemoryNetwork
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import RefusedError, ShapeError, UsageError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.keys import Encryption
from saferoom.he.packing import Slots
from saferoom.he.vectors import BinSums, decrypt_vector, encrypt_vector, pack_vector
from saferoom.he.workers import Workers
from saferoom.kinds.learns import DISCLOSURES
from saferoom.protocols.bin_groups import PAIRINGS, ColumnGroups, count_plain
from saferoom.protocols.bins import BinnedFeature, Minimums
from saferoom.protocols.shuffled_bins import ShuffledBins
from tests.he_keys import KINDS as ENCRYPTIONS
from tests.he_keys import QUICK, key_for, noise_of
from tests.label_room import LabelRoom, random_room


def tensors_of(room: LabelRoom, label: str) -> list[np.ndarray[Any, Any]]:
    return [t for _, _, said, tensors in room.said if said.split("/")[0] == label for t in tensors]


def numbers_in(room: LabelRoom, label: str) -> list[mpz]:
    return [n for table in tensors_of(room, label) for n in Ciphertexts(table).numbers()]


def slot_counts(room: LabelRoom) -> list[int]:
    """What the label holder finds when it decrypts the sums of the only feature holder."""
    key, bits = key_for(room.encryption), len(room.labels).bit_length()
    layout, slots = Slots(bits, room.encryption.plain_bits), int(tensors_of(room, "slots")[0][0])
    plains = [int(key.decrypt(number)) for number in numbers_in(room, "sums")]
    return [count for plain in plains for count in layout.unpack(plain, layout.per_plaintext)][:slots]


# Noise: nothing of the rows -------------------------------------------------------------------------


@pytest.mark.parametrize("encryption", ENCRYPTIONS, ids=str)
def test_two_runs_of_the_same_sums_share_no_ciphertext_and_no_noise(encryption: Encryption) -> None:
    """The same encrypted rows, the same bins, summed, packed and returned twice."""
    key, workers = key_for(encryption), Workers(0)
    rows, bins, slots = encrypt_vector(key, [1, 0, 1, 1] * 5, workers), np.arange(20) % 4, Slots(8, 200)
    returned = []
    for _ in range(2):
        sums = BinSums(key.public, [bins], [4], workers)
        sums.add(rows)
        (numbers,) = sums.finish()
        unshuffled = [int(key.decrypt(number)) for number in numbers]
        assert unshuffled == [5, 0, 5, 5]
        returned.append(pack_vector(key.public, numbers, slots, workers))
    plains = [decrypt_vector(key, packed, workers) for packed in returned]
    assert plains[0] == plains[1]
    noises = [noise_of(key, number) for packed in returned for number in packed.numbers()]
    for half in zip(*noises, strict=True):
        assert len(set(half)) == len(noises)


def test_the_product_of_rows_gives_members_away_and_what_is_returned_does_not() -> None:
    """The attack that re-randomising stops: the owner compares a sum's noise with that of rows it guesses."""
    key, workers, rng = key_for(), Workers(0), np.random.default_rng(0)
    plains = [int(y) for y in rng.random(12) < 0.5]
    rows, bins = encrypt_vector(key, plains, workers), np.array([0, 1] * 6)
    sums = BinSums(key.public, [bins], [2], workers)
    sums.add(rows)
    (bare,) = sums.finish()
    guess = mpz(1)
    for number, place in zip(rows.numbers(), bins, strict=True):
        guess = guess * number % key.public.modulus if place == 1 else guess
    assert noise_of(key, bare[1]) == noise_of(key, guess), "without fresh noise a right guess is confirmed"
    (returned,) = pack_vector(key.public, [bare[1]], Slots(8, 200), workers).numbers()
    assert key.decrypt(returned) == key.decrypt(guess)
    assert all(a != b for a, b in zip(noise_of(key, returned), noise_of(key, guess), strict=True))


@pytest.mark.parametrize("encryption", ENCRYPTIONS, ids=str)
def test_fresh_noise_covers_the_group_that_noise_lives_in(encryption: Encryption) -> None:
    """No coset is left: whatever power residue a sum's noise is, a returned one is any, equally often.

    Checked on the small factors of the noise's order, the only ones on which counting can see anything.
    """
    key = key_for(encryption)
    fresh = key.public.noises(40)
    own = [key.encrypt(0) for _ in range(40)]
    for half in (key.first, key.second):
        for small in (2, 3, 5, 7, 11, 13):
            if half.order % small:
                continue
            exponent = half.order // small
            kinds_of_own = {pow(number % half.modulus, exponent, half.modulus) for number in own}
            kinds = [pow(number % half.modulus, exponent, half.modulus) for number in fresh]
            assert kinds_of_own <= set(kinds) or small > 3, "40 draws see all of three kinds, not of seven"
            assert len(set(kinds)) > 1


def test_both_halves_of_the_owner_s_noise_lie_in_what_h_generates() -> None:
    """An exponent modulo each factor, drawn apart, is one exponent of h: orders have no common factor."""
    for encryption in ENCRYPTIONS:
        key = key_for(encryption)
        if not key.public.h:
            continue
        order = key.first.order * key.second.order
        assert pow(key.public.h, order, key.public.modulus) == 1
        assert pow(key.encrypt(0), order, key.public.modulus) == 1


def test_randomness_is_never_below_256_bits() -> None:
    for encryption in ENCRYPTIONS:
        key = key_for(encryption)
        assert min(key.first.order.bit_length(), key.second.order.bit_length()) >= 256


# Labels: nothing but ciphertexts --------------------------------------------------------------------


def test_labels_travel_as_ciphertexts_that_never_repeat() -> None:
    room = random_room(2)
    room.run()
    first = numbers_in(room, "labels")
    again = random_room(2)
    again.run()
    assert len({*first, *numbers_in(again, "labels")}) == 2 * len(room.labels)


def test_bytes_of_ciphertexts_are_uniform_below_the_top() -> None:
    room = random_room(2, rows=300)
    room.labels = np.r_[np.ones(20, int), np.zeros(280, int)]
    room.run()
    tail = tensors_of(room, "labels")[0][:, 32:]
    assert chisquare(np.bincount(tail.reshape(-1), minlength=256)).pvalue > 1e-6


def test_a_plain_label_cannot_be_sent_in_place_of_a_ciphertext() -> None:
    session = Session(MemoryNetwork().endpoint("bank"), ("bank", "tax"))
    with pytest.raises((AttributeError, TypeError, ShapeError)):
        session.send("tax", "labels", np.array([0, 1], np.uint8))  # type: ignore[arg-type]
    with pytest.raises((ShapeError, UsageError)):
        Ciphertexts(np.array([0, 1], np.uint8))


# Minimums -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minimum", [1, 10, 25, 60])
def test_sums_over_fewer_than_the_minimum_rows_never_leave(minimum: int) -> None:
    """All that leaves is a partition of the rows, column by column, into bins of the minimum.

    Each label gets a weight of its own as if it were many classes: what the label holder could decrypt then
    names the very rows in every sum.
    """
    rows = 60
    rng = np.random.default_rng(minimum)
    features = [BinnedFeature(np.minimum(rng.geometric(0.4, rows), 9), 10, 8) for _ in range(3)]
    bins = ShuffledBins(features, rows, Minimums(minimum, 0))
    key, workers = key_for(), Workers(0)
    encrypted = encrypt_vector(key, [1 << row for row in range(rows)], workers)
    sums = BinSums(key.public, bins.columns, bins.counts, workers)
    sums.add(encrypted)
    packed = pack_vector(key.public, bins.shuffled(sums.finish()), Slots(rows, QUICK.plain_bits), workers)
    layout = Slots(rows, QUICK.plain_bits)
    members = [
        value
        for plain in decrypt_vector(key, packed, workers)
        for value in layout.unpack(plain, layout.per_plaintext)
    ][: bins.slots]
    assert all(value.bit_count() >= minimum for value in members)
    left_out = [
        np.count_nonzero(column == count - 1) for column, count in zip(bins.columns, bins.counts, strict=True)
    ]
    assert sum(value.bit_count() for value in members) == 3 * rows - sum(left_out)


def test_too_few_rows_in_all_send_nothing_whatever_the_column() -> None:
    with pytest.raises(RefusedError):
        ColumnGroups(BinnedFeature(np.repeat([0, 1], [3, 4]), 2, 2), 7, Minimums(8, 0))


def test_counts_below_the_minimum_of_events_are_not_told() -> None:
    """The feature holder sees flags and counts of groups; every number it gets is at least the minimum."""
    room = random_room(2, minimums=Minimums(4, 12))
    found = room.run()
    (given,) = tensors_of(room, "events")
    given = given[given > 0]  # the rest fills the message up
    assert given.min() >= 12
    assert tensors_of(room, "total")[0].tolist() == [room.labels.sum()]
    assert set(given.reshape(-1)) <= {n for c in found["tax"] for n in c.events.reshape(-1)}
    assert min(slot_counts(room)) < 12, "the label holder sees what it withholds"
    assert set(tensors_of(room, "enough")[0].tolist()) == {0, 1}
    for column in found["tax"]:
        assert (column.events[~column.estimated] >= 12).all()


# What each role learns ------------------------------------------------------------------------------


def test_the_label_holder_gets_counts_in_an_order_that_says_nothing() -> None:
    """Over many runs every bin stands equally often in every slot."""
    features = [BinnedFeature(np.repeat(np.arange(4), 10), 4, 4)]
    places = np.zeros((4, 4))
    for _ in range(400):
        order = ShuffledBins(features, 40, Minimums(1, 0)).shuffled([[0, 1, 2, 3, -1]])
        places[order, np.arange(4)] += 1
    assert chisquare(places.reshape(-1)).pvalue > 1e-6


def test_two_columns_that_swap_their_bins_look_alike_to_the_label_holder() -> None:
    """Bins, edges, features and row counts do not show: only the multiset of counts does.

    Of the fullest bin of each column a random part is left out: a third of its rows at most.
    """
    labels = np.array([1, 0] * 30)
    bins = np.repeat([0, 1, 2], 20)
    wide = [BinnedFeature(bins, 3, 3), BinnedFeature(2 - bins, 3, 0)]
    first = LabelRoom(labels, {"bank": [], "tax": wide})
    second = LabelRoom(labels, {"bank": [], "tax": wide[::-1]})
    for room in (first, second):
        room.run()
    for room in (first, second):
        counts = sorted(slot_counts(room))
        assert counts[2:] == [10] * 4
        assert counts[0] >= 1
    shapes = [
        [
            (who, to, label, [t.shape for t in tensors])
            for who, to, label, tensors in room.said
            if label != "key"
        ]
        for room in (first, second)
    ]
    assert shapes[0] == shapes[1]


def test_names_of_groups_follow_the_secret_order() -> None:
    room = random_room(2, minimums=Minimums(4, 6))
    room.run()
    shown = tensors_of(room, "groups")
    assert len(shown) == PAIRINGS
    for groups in shown:
        assert list(dict.fromkeys(groups.tolist())) == list(range(groups.max() + 1))


def test_sizes_of_messages_do_not_depend_on_labels() -> None:
    """However many groups hold enough events, are put together, or have their counts told."""
    rooms = [random_room(3, minimums=Minimums(4, 8)) for _ in range(2)]
    rooms[1].labels = np.roll(np.arange(len(rooms[1].labels)) < 20, 7).astype(np.int64)
    for room in rooms:
        room.run()
    told = [sum(np.count_nonzero(t) for t in tensors_of(room, "enough")) for room in rooms]
    assert told[0] != told[1]
    sizes = [
        [(a, b, label, [t.nbytes for t in tensors]) for a, b, label, tensors in room.said if label != "key"]
        for room in rooms
    ]
    assert sorted(sizes[0]) == sorted(sizes[1])


def test_both_ends_declare_what_is_learnt_and_no_more() -> None:
    room = random_room(3)
    room.run()
    slots = {a: int(t[0][0]) for a, _, label, t in room.said if label == "slots"}

    def lines(party: str) -> list[tuple[str, str, tuple[int, ...], str]]:
        return [(d.kind, d.to, d.shape, d.step) for d in room.declared[party]]

    for party in ("tax", "power"):
        assert lines(party) == [
            ("anonymous_events", "bank", (slots[party], 1), "sums"),
            ("bin_events", party, (1,), "total"),
            *(
                ("bin_events", party, (slots[party],), step)
                for step in (f"enough/pairing={number}" for number in range(1 + PAIRINGS))
            ),
            ("bin_events", party, (slots[party], 1), "events"),
        ]
    assert sorted(lines("bank")) == sorted(lines("tax") + lines("power"))
    assert {"anonymous_events", "bin_events"} <= set(DISCLOSURES)


@pytest.mark.parametrize("refuser", ["bank", "tax"])
def test_a_refused_disclosure_stops_before_anything_is_shown(refuser: str) -> None:
    room = random_room(2)

    def refuse(_: Disclosure) -> None:
        raise RefusedError("no")

    room.on_disclosure = {refuser: refuse}
    with pytest.raises(RefusedError):
        room.run()
    said = {label.split("/")[0] for _, _, label, _ in room.said}
    assert not said & {"total", "enough", "groups", "asked", "events"}
    assert refuser == "bank" or "sums" not in said


def test_a_feature_holder_learns_the_plain_counts_of_its_own_bins_and_nothing_of_others() -> None:
    room = random_room(3)
    found = room.run()
    for party in ("tax", "power"):
        expected = count_plain(room.features[party], room.labels, room.minimums)
        assert [c.events.tolist() for c in found[party]] == [c.events.tolist() for c in expected]
        received = {label.split("/")[0] for _, to, label, _ in room.said if to == party}
        assert received == {"counters", "key", "labels", "before labels", "total", "enough", "events"}


# Slots are not sorted into columns ------------------------------------------------------------------


def small_columns(seed: int) -> tuple[list[BinnedFeature], np.ndarray[Any, Any]]:
    """Three columns of five bins over 3,000 rows, a fifth of which are events."""
    rng = np.random.default_rng(seed)
    features = []
    risk = np.zeros(3000)
    for _ in range(3):
        weights = rng.dirichlet(np.full(5, 4.0))
        bins = rng.choice(5, 3000, p=weights)
        risk += rng.normal(size=5)[bins] / 2
        features.append(BinnedFeature(bins, 5, 5))
    return features, (rng.random(3000) < 1 / (1 + np.exp(1.6 - risk))).astype(np.int64)


def ways_to_sort(slots: list[int], fits: Callable[[list[int]], bool]) -> list[set[frozenset[int]]]:
    """All ways to sort 15 slots into three columns of five that each `fits`."""
    columns = map(frozenset, combinations(range(15), 5))
    good = {column for column in columns if fits([slots[place] for place in column])}
    found = []
    for first in (column for column in good if 0 in column):
        left = frozenset(range(15)) - first
        seconds = (frozenset((min(left), *four)) for four in combinations(sorted(left)[1:], 4))
        found += [{first, second, left - second} for second in seconds if {second, left - second} <= good]
    return found


def sent(features: list[BinnedFeature], y: np.ndarray[Any, Any]) -> tuple[list[int], list[int]]:
    """The counts that the label holder decrypts, and which column each is of: a test can look."""
    bins = ShuffledBins(features, len(y), Minimums(20, 0))
    sums = [
        [int(y[placed == number].sum()) for number in range(count)]
        for placed, count in zip(bins.columns, bins.counts, strict=True)
    ]
    columns = [[place] * count for place, count in enumerate(bins.counts)]
    both = bins.shuffled([list(zip(*pair, strict=True)) for pair in zip(sums, columns, strict=True)])
    return [count for count, _ in both], [column for _, column in both]


@pytest.mark.parametrize("seed", range(4))
def test_few_slots_cannot_be_sorted_into_columns_by_their_sums(seed: int) -> None:
    """Every column has the same events in all: whole, that sorts 15 counts; with rows left out it does not.

    The label holder knows how many may be left out: a tenth to a third of one slot, so that the rest of a
    column misses a tenth to a half of what its fullest slot shows, or a little more by chance.
    """
    features, y = small_columns(seed)
    total = int(y.sum())
    whole = [int(y[feature.bins == place].sum()) for feature in features for place in range(5)]
    assert len(ways_to_sort(whole, lambda counts: sum(counts) == total)) < 10

    slots, columns = sent(features, y)
    ways = ways_to_sort(slots, lambda counts: 0 < total - sum(counts) <= 0.8 * max(counts))
    truth = {frozenset(np.flatnonzero(np.array(columns) == place).tolist()) for place in range(3)}
    assert truth in ways, "the attack knows what may be left out"
    assert len(ways) > 1000
