"""Growing trees shows sums that cannot be placed, rows of nodes and own splits taken; no more."""

from __future__ import annotations

from collections import Counter
from math import factorial
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from saferoom.channel.codec import encode
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import RefusedError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.key_files import public_to_json
from saferoom.he.vectors import decrypt_vector
from saferoom.he.workers import Workers
from saferoom.kinds.learns import DISCLOSURES
from saferoom.models.boosting.nodes import layout_of
from saferoom.protocols import split_sums as module
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.split_sums import Cipher
from tests.boosting_room import PARTIES, Array, BoostingRoom, name_of, random_room
from tests.he_keys import KINDS as ENCRYPTIONS
from tests.he_keys import QUICK, key_for, noise_of


def cipher_of(room: BoostingRoom) -> Cipher:
    return Cipher(layout_of(len(room.y), room.settings), key_for(room.encryption).public, Workers(0))


def sums_seen(room: BoostingRoom, step: str = "tree=0/sums/depth=0") -> list[tuple[int, ...]]:
    """What the label holder finds when it decrypts a message of sums."""
    (flags, table) = next(tensors for _, _, label, tensors in room.said if label == step)
    cipher, kept = cipher_of(room), int(np.unpackbits(flags).sum())
    values: list[int] = []
    slots = cipher.slots
    for plain in decrypt_vector(
        key_for(room.encryption), Ciphertexts(table[: slots.plaintexts(kept)]), Workers(0)
    ):
        values += slots.unpack(plain, min(slots.per_plaintext, kept - len(values)))
    return [tuple(row) for row in cipher.layout.unpack(values).tolist()]


# Noise -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encryption", ENCRYPTIONS, ids=str)
def test_noise_of_what_returns_is_not_that_of_the_rows(
    encryption: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label holder knows every row's noise; nothing that returns has that of a product of rows."""
    packed: list[tuple[list[Any], Ciphertexts]] = []
    honest = module.pack_vector

    def recording(key: Any, numbers: Any, *rest: Any) -> Ciphertexts:
        packed.append((list(numbers), honest(key, numbers, *rest)))
        return packed[-1][1]

    monkeypatch.setattr(module, "pack_vector", recording)
    room = random_room(rows=60, n_estimators=1, max_depth=2, encryption=encryption)
    room.run()
    assert room.errors == {}
    key, cipher = key_for(encryption), cipher_of(room)
    slots = cipher.slots
    assert packed
    seen = set()
    for numbers, returned in packed:
        bares = slots.pack_encrypted(numbers, key.public.modulus)
        for place, (sums, number) in enumerate(zip(bares, returned.numbers(), strict=True)):
            held = min(slots.per_plaintext, len(numbers) - place * slots.per_plaintext)
            offset = key.public.without_noise(slots.pack([cipher.layout.offset] * held))
            bare = sums * offset % key.public.modulus
            assert key.decrypt(bare) == key.decrypt(number)
            of_rows, of_returned = noise_of(key, bare), noise_of(key, number)
            assert all(a != b for a, b in zip(of_rows, of_returned, strict=True))
            seen.add(of_returned)
    assert len(seen) == sum(len(returned) for _, returned in packed)


def test_gradients_travel_as_ciphertexts_that_never_repeat() -> None:
    """A first tree has two kinds of gradients; each row, in each tree, has a ciphertext of its own."""
    room = random_room(n_estimators=2)
    room.run()
    tables = room.tensors("gradients")
    assert sum(len(table) for table in tables) == 2 * len(room.y)
    assert len({bytes(row) for table in tables for row in table}) == 2 * len(room.y)
    tail = np.concatenate([table[:, 32:].reshape(-1) for table in tables])
    assert chisquare(np.bincount(tail, minlength=256)).pvalue > 1e-6


# The order of candidates -----------------------------------------------------------------------------


def test_the_order_is_drawn_anew_for_every_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Array] = []
    honest = module._secret_order

    def recording(count: int) -> Array:
        drawn.append(honest(count))
        return drawn[-1]

    monkeypatch.setattr(module, "_secret_order", recording)
    for _ in range(2):
        random_room(n_estimators=3).run()
    assert len(drawn) == 6
    assert len({tuple(order) for order in drawn}) == 6
    assert all(sorted(order) == list(range(len(order))) for order in drawn)


def test_every_order_is_equally_likely() -> None:
    drawn = Counter(tuple(module._secret_order(4).tolist()) for _ in range(2400))
    assert len(drawn) == factorial(4)
    assert chisquare(list(drawn.values())).pvalue > 1e-6


def test_columns_that_change_places_look_alike_to_the_label_holder() -> None:
    """Which column a sum belongs to, which cut it is, how many columns: none of it shows."""
    first, second = random_room(n_estimators=1), random_room(n_estimators=1)
    one, two = (room.features["tax"] for room in (first, second))
    one[:], two[:] = [one[0], one[0]], [two[0]]
    halves = [BinnedFeature(np.minimum(one[0].bins, 3), 4, 4), BinnedFeature(one[0].bins // 4, 2, 2)]
    one[:], two[:] = [one[0], *halves], [*halves[::-1], one[0]]
    for room in (first, second):
        room.run()
        assert room.errors == {}
    assert sorted(sums_seen(first)) == sorted(sums_seen(second))
    shapes = [
        [(a, b, label, [t.shape for t in tensors]) for a, b, label, tensors in room.said if a == "tax"]
        for room in (first, second)
    ]
    assert shapes[0] == shapes[1]


def test_how_many_candidates_there_are_is_not_told() -> None:
    """The label holder is told which of as many places as there may be are kept."""
    room = random_room(n_estimators=2)
    room.run()
    assert {int(d.shape[0]) for d in room.declared["tax"] if d.kind == "split_sums"} == {PLACES}
    flags = [t[0] for _, _, label, t in room.said if label.endswith("sums/depth=0")]
    assert [8 * flag.size - PLACES for flag in flags] == [0, 0]


ECHO = "before tree/echo"
PLACES = 4 * 8
"""Of candidates: four columns of at most eight bins and missing values."""


# Sizes and rounds ------------------------------------------------------------------------------------


def test_every_byte_is_accounted_for() -> None:
    """Sizes follow from rows, settings and the number of columns that the contract names."""
    room = random_room(PARTIES[:3], n_estimators=2, subsample=0.8)
    room.run()
    width, rows = key_for().public.width_bytes, len(room.y)
    slots, of_rows = cipher_of(room).slots, -(-rows // 8)
    assert {label for a, b, label, _ in room.said if "bank" not in (a, b)} == {"trees", ECHO}
    for sender, receiver, label, tensors in room.said:
        if label == ECHO:
            assert [t.shape for t in tensors] == [(3, 32)]
            continue
        party = receiver if sender == "bank" else sender
        name, sizes = name_of(label), [t.nbytes for t in tensors]
        pairs = max(1, 2 ** (int(label[-1]) - 1)) if "depth" in label else 0
        nodes = 2 * pairs if label[-1] != "0" else 1
        known = {
            "trees": [8],
            "tree": [16],
            "key": [len(public_to_json(key_for().public))],
            "rows": [of_rows],
            "sums": [-(-pairs * PLACES // 8), width * slots.plaintexts(pairs * PLACES)],
            "chosen": [nodes * PLACES // 8],
            "left": [of_rows],
            "sides": [-(-nodes // 8), of_rows],
        }
        if name == "gradients":
            tree = int(label.split("/")[0].removeprefix("tree="))
            summed = np.unpackbits(room.tensors("rows", to=party)[tree], count=rows).sum()
            known["gradients"] = [width * int(summed)]
        assert sizes == known[name], label


def test_rounds_are_two_a_level() -> None:
    """And one before the first; a feature holder waits for gradients besides, once a tree."""
    room = random_room(n_estimators=3)
    room.run()
    levels = len({label for _, _, label, _ in room.said if name_of(label) == "sums"})
    assert levels == 3 * room.settings.max_depth
    for session in room.sessions.values():
        assert session.meter.rounds == 1 + 2 * levels


def test_framing_adds_little() -> None:
    label, table = "tree=99/sums/depth=5", np.zeros((40, 256), np.uint8)
    assert sum(len(part) for part in encode(label, [table[0, :30], table])) - table.nbytes - 30 < 96


# Who is told what ------------------------------------------------------------------------------------


def test_messages_are_of_few_kinds() -> None:
    """A feature holder sends a number, sums, and rows of splits that were taken: nothing of columns."""
    room = random_room(PARTIES[:3], n_estimators=2)
    room.run()
    for party in ("tax", "power"):
        assert {name_of(label) for a, _, label, _ in room.said if a == party} == {
            "trees",
            "sums",
            "left",
            name_of(ECHO),
        }
        assert {name_of(label) for _, b, label, _ in room.said if b == party} == {
            name_of(ECHO),
            "trees",
            "key",
            "tree",
            "rows",
            "gradients",
            "chosen",
            "sides",
        }


def test_rows_of_splits_that_were_not_taken_are_never_sent() -> None:
    room = random_room(PARTIES[:3], n_estimators=2, rows=400)
    found = room.run()
    for party in ("tax", "power"):
        for number, tree in enumerate(found[party].trees):
            lefts = [t for _, _, s, t in room.said if s.startswith(f"tree={number}/left") and _ is not None]
            assert len(lefts) >= len({(n + 1).bit_length() for n in tree.splits})
        told = sum(int(np.unpackbits(t).sum()) for t in room.tensors("left", party))
        mine = sum(tree.covers[2 * node + 1] for tree in found[party].trees for node in tree.splits)
        assert told == mine


def lines(declared: list[Disclosure]) -> list[tuple[str, str, tuple[int, ...], str]]:
    return [(d.kind, d.to, d.shape, d.step) for d in declared]


def test_both_ends_declare_what_is_learnt_once_a_tree() -> None:
    room = random_room(PARTIES[:3], n_estimators=2)
    room.run()
    rows = (len(room.y),)
    for party in ("tax", "power"):
        count = (PLACES,)
        expected = [("tree_shapes", party, (2,), "tree")]
        for tree in ("tree=0", "tree=1"):
            expected += [
                ("tree_rows", party, rows, f"{tree}/sides"),
                ("split_sums", "bank", count, f"{tree}/sums"),
                ("chosen_splits", party, count, f"{tree}/chosen"),
                ("tree_rows", "bank", rows, f"{tree}/left"),
            ]
        assert sorted(lines(room.declared[party])) == sorted(expected)
    assert sorted(lines(room.declared["bank"])) == sorted(
        lines(room.declared["tax"]) + lines(room.declared["power"])
    )
    assert {"tree_rows", "split_sums", "chosen_splits", "tree_shapes"} <= set(DISCLOSURES)


def test_nothing_is_told_of_trees_that_the_label_holder_grows_alone() -> None:
    room = random_room(n_estimators=3, own_trees=2)
    room.run()
    trees = {label.split("/")[0] for _, _, label, _ in room.said if label.startswith("tree=")}
    assert trees == {"tree=2"}
    assert {d.step.split("/")[0] for d in room.declared["tax"]} == {"tree=2", "tree"}


@pytest.mark.parametrize(
    ("refuser", "kind", "silent"),
    [
        ("bank", "tree_rows", {"rows", "gradients", "sums", "chosen", "left", "sides"}),
        ("bank", "split_sums", {"chosen", "left", "sides"}),
        ("bank", "chosen_splits", {"chosen", "left", "sides"}),
        ("tax", "tree_rows", {"sums", "left"}),
        ("tax", "split_sums", {"sums", "left"}),
        ("tax", "chosen_splits", {"sums", "left"}),
    ],
)
def test_a_refused_disclosure_stops_before_anything_is_shown(
    refuser: str, kind: str, silent: set[str]
) -> None:
    room = random_room()

    def refuse(disclosure: Disclosure) -> None:
        if disclosure.kind == kind:
            raise RefusedError("no")

    room.on_disclosure = {refuser: refuse}
    room.run()
    assert isinstance(room.errors[refuser], RefusedError)
    said = {name_of(label) for sender, _, label, _ in room.said if sender == refuser}
    assert not said & silent


def test_a_refused_end_leaves_no_trees() -> None:
    room = random_room()

    def refuse(disclosure: Disclosure) -> None:
        if disclosure.kind == "tree_shapes":
            raise RefusedError("no")

    room.on_disclosure = {"bank": refuse}
    assert room.run() == {}


# Minimum of rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("minimum", [10, 15])
def test_no_sum_that_leaves_is_over_fewer_rows_than_the_minimum(minimum: int) -> None:
    """Each row has a bit of its own as gradient, so that a sum names the rows in it."""
    rows = 36  # as many as a slot has bits
    room = random_room(rows=rows, n_estimators=1, min_leaf_rows=minimum)
    seen: list[int] = []

    def marked(rows: Array) -> list[int]:
        return [1 << row for row in range(len(rows))]

    def role(s: Session) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.SumLayout, "pack", lambda self, rows: marked(rows))
            return room.train(s)

    room.run({"bank": role})  # it cannot go on from such sums
    for a, _, label, tensors in room.said:
        if a == "tax" and name_of(label) == "sums":
            kept, cipher = int(np.unpackbits(tensors[0]).sum()), cipher_of(room)
            sent = Ciphertexts(tensors[1][: cipher.slots.plaintexts(kept)])
            for plain in decrypt_vector(key_for(QUICK), sent, Workers(0)):
                values = cipher.slots.unpack(plain, min(cipher.slots.per_plaintext, kept - len(seen)))
                seen += [(value - cipher.layout.offset).bit_count() for value in values]
    assert seen
    assert all(minimum <= count <= rows - minimum for count in seen)


def test_at_no_level_is_a_sum_over_fewer_rows_than_the_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what is left of a node, or of its sibling, when a sum is taken off."""
    over: list[tuple[int, int]] = []
    honest = module.SplitSums.send_sums

    def recording(self: Any, label: str, asked: Any, most: int) -> None:
        for rows, kept in asked:
            held = np.arange(len(self._place)) if rows is None else rows
            counts = [np.bincount(f.bins[held], minlength=f.count) for f in self._own.features]
            over.extend((int(n), len(held)) for n in self._own.left_sums(counts)[kept])
        honest(self, label, asked, most)

    monkeypatch.setattr(module.SplitSums, "send_sums", recording)
    room = random_room(n_estimators=2, max_depth=5, rows=500)
    room.run()
    assert len(over) > 100
    assert all(n in (0, size) or 10 <= n <= size - 10 for n, size in over)
