"""Peers that do not follow while trees grow: each is found out at once, and named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.errors import PeerError, PeerTimeout, RefusedError, UsageError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.key_files import public_to_json
from saferoom.he.keys import Encryption
from saferoom.he.vectors import decrypt_vector, encrypt_vector
from saferoom.he.workers import Workers
from saferoom.models.boosting.nodes import layout_of
from saferoom.models.boosting.settings import FRAC_BITS, BoostingSettings
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.split_sums import Cipher
from saferoom.sharing.values import Public
from tests.boosting_room import PARTIES, Array, BoostingRoom, Role, random_room
from tests.he_keys import QUICK, key_for
from tests.waiting import LIMIT_S

Bend = Callable[[list[Array]], Sequence[Array]]
ROOT_SUMS, ROOT_LEFT, ROOT_SIDES = "tree=0/sums/depth=0", "tree=0/left/depth=0", "tree=0/sides/depth=0"
CHOSEN = "tree=0/chosen/depth=0"


def tax_splits(**settings: Any) -> BoostingRoom:
    """A room where every split is the tax bureau's."""
    return random_room(without=["bank"], rows=120, n_estimators=2, **settings)


def bent(room: BoostingRoom, step: str, bend: Bend) -> Role:
    """An honest party, but for what it sends at `step`."""

    def play(s: Session) -> Any:
        honest = s._send

        def send(receivers: Sequence[str], label: str, values: Sequence[Any]) -> Any:
            if s.step(label) == step:
                values = [Public(tensor) for tensor in bend([value.value.copy() for value in values])]
            return honest(receivers, label, values)

        s._send = send  # type: ignore[method-assign]
        return room.train(s)

    return play


def refused(liar: str, step: str, bend: Bend, room: BoostingRoom | None = None) -> PeerError:
    """What the other party ends with: it names the liar."""
    room = room or tax_splits()
    honest = "bank" if liar == "tax" else "tax"
    found = room.run({liar: bent(room, step, bend)})
    error = room.errors[honest]
    assert isinstance(error, PeerError), error
    assert error.party == liar
    assert honest not in found
    return error


def assert_caught(
    liar: str, step: str, bend: Bend, room: BoostingRoom | None = None, found_at: str | None = None
) -> PeerError:
    error = refused(liar, step, bend, room)
    assert error.step == (found_at or step)
    return error


# A feature holder ------------------------------------------------------------------------------------


def test_an_owner_that_splits_off_fewer_rows_than_a_leaf_must_hold() -> None:
    """Its sums and rows agree, but it did not keep the minimum."""
    few = np.arange(105) < 5
    columns = {"bank": [], "tax": [BinnedFeature(few.astype(np.uint8), 2, 2)]}
    settings = BoostingSettings(n_estimators=1, max_depth=1, min_child_weight=0, min_leaf_rows=20)
    room = BoostingRoom(columns, few.astype(np.float64), settings)

    def careless(s: Session) -> Any:
        bold = replace(room, settings=replace(settings, min_leaf_rows=2))
        return bold.train(s)

    found = room.run({"tax": careless})
    error = room.errors["bank"]
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == ("tax", ROOT_LEFT)
    assert "minimum of a leaf" in error.message
    assert "bank" not in found


def first(number: Callable[[Any], Any]) -> Bend:
    """The first ciphertext is another number."""

    def bend(tensors: list[Array]) -> list[Array]:
        numbers = Ciphertexts(tensors[1]).numbers()
        return [tensors[0], Ciphertexts.of([number(key_for()), *numbers[1:]], tensors[1].shape[1]).value]

    return bend


def with_sums(change: Callable[[Array], Array], room: BoostingRoom) -> Bend:
    """The sums themselves are changed: (kept, 3), as the label holder decrypts them."""

    def bend(tensors: list[Array]) -> list[Array]:
        key, workers = key_for(), Workers(0)
        cipher = Cipher(layout_of(len(room.y), room.settings), key.public, workers)
        layout, slots = cipher.layout, cipher.slots
        kept = int(np.unpackbits(tensors[0]).sum())
        values: list[int] = []
        for plain in decrypt_vector(key, Ciphertexts(tensors[1][: slots.plaintexts(kept)]), workers):
            values += slots.unpack(plain, min(slots.per_plaintext, kept - len(values)))
        packed = [value + layout.offset for value in layout.pack(change(layout.unpack(values)))]
        size = slots.per_plaintext
        plains = [slots.pack(packed[at : at + size]) for at in range(0, kept, size)]
        tensors[1][: len(plains)] = encrypt_vector(key, plains, workers).value
        return tensors

    return bend


def more(field: int, by: int) -> Callable[[Array], Array]:
    def change(sums: Array) -> Array:
        sums[0, field] += by
        return sums

    return change


LIES_OF_SUMS: dict[str, Bend] = {
    "no flags": lambda t: t[1:],
    "flags of another type": lambda t: [t[0].astype(np.int64), t[1]],
    "fewer flags": lambda t: [t[0][:-1], t[1]],
    "fewer ciphertexts": lambda t: [t[0], t[1][:-1]],
    "more ciphertexts": lambda t: [t[0], np.concatenate([t[1], t[1][:1]])],
    "a flag that has no sum": lambda t: [t[0] | 0xFF, t[1]],
    "another width": lambda t: [t[0], t[1][:, 1:]],
    "zero": first(lambda key: 0 * key.public.n),
    "the modulus": first(lambda key: key.public.modulus),
    "no unit": first(lambda key: key.first.prime),
    "no ciphertext": first(lambda key: key.public.n - 4),
    "something above the slots": first(lambda key: key.encrypt(1 << (QUICK.plain_bits - 1))),
    "out of range": first(lambda key: pow(key.encrypt(1 << 680), 2, key.public.n)),
    "nothing at all": first(lambda key: key.encrypt(0)),
}


@pytest.mark.parametrize("lie", LIES_OF_SUMS.values(), ids=LIES_OF_SUMS)
def test_sums_that_cannot_be_are_refused(lie: Bend) -> None:
    assert_caught("tax", ROOT_SUMS, lie)


@pytest.mark.parametrize("field", [0, 1])
@pytest.mark.parametrize("by", [1 << (FRAC_BITS + 6), -(1 << (FRAC_BITS + 6))])
def test_sums_that_no_rows_of_ours_have_are_refused(field: int, by: int) -> None:
    room = tax_splits()
    assert_caught("tax", ROOT_SUMS, with_sums(more(field, by), room), room)


def test_more_events_than_there_are_are_refused() -> None:
    room = tax_splits(min_leaf_events=1)

    def one_more(sums: Array) -> Array:
        sums[0, 2] = room.y.sum() + 1
        return sums

    assert_caught("tax", ROOT_SUMS, with_sums(one_more, room), room)


def test_sums_of_other_rows_are_found_out_when_their_split_is_taken() -> None:
    """Possible sums, but of other candidates."""
    room = tax_splits()
    lie = with_sums(lambda sums: np.roll(sums, 1, axis=0), room)
    error = assert_caught("tax", ROOT_SUMS, lie, room, found_at=ROOT_LEFT)
    assert "do not have the sums" in str(error)


def test_a_candidate_that_the_parent_did_not_keep_is_refused() -> None:
    """One flag more, and a ciphertext for it if need be."""

    def bend(tensors: list[Array]) -> list[Array]:
        assert not np.unpackbits(tensors[0]).all()
        return with_all_flags(room)

    room = tax_splits(min_leaf_rows=25)
    assert_caught("tax", "tree=0/sums/depth=1", bend, room)


PLACES = 4 * 8
"""Of candidates: four columns of at most eight bins and missing values."""


def with_all_flags(room: BoostingRoom) -> list[Array]:
    """Of one pair."""
    count = PLACES
    flags = np.packbits(np.ones(count, dtype=bool))
    slots = Cipher(layout_of(len(room.y), room.settings), key_for().public, Workers(0)).slots
    plains = [0] * slots.plaintexts(count)
    offset = layout_of(len(room.y), room.settings).offset
    for place in range(count):
        plains[place // slots.per_plaintext] += offset << (slots.slot_bits * (place % slots.per_plaintext))
    return [flags, encrypt_vector(key_for(), plains, Workers(0)).value]


def flipped(place: int) -> Bend:
    def bend(tensors: list[Array]) -> list[Array]:
        tensors[0][place // 8] ^= 0x80 >> (place % 8)
        return tensors

    return bend


LIES_OF_LEFT: dict[str, Bend] = {
    "one row more or less": flipped(17),
    "all go left": lambda t: [t[0] | 0xFF],
    "nobody goes left": lambda t: [t[0] & 0],
    "fewer rows": lambda t: [t[0][:-1]],
    "more rows": lambda t: [np.concatenate([t[0], t[0]])],
    "another type": lambda t: [t[0].astype(np.int64)],
}


@pytest.mark.parametrize("lie", LIES_OF_LEFT.values(), ids=LIES_OF_LEFT)
def test_rows_that_are_not_those_of_the_split_are_refused(lie: Bend) -> None:
    assert_caught("tax", ROOT_LEFT, lie)


def test_more_candidates_than_the_contract_s_columns_have_are_not_offered() -> None:
    """Whose columns have more bins, or are more than were agreed, does not get as far as to send a sum."""
    room = tax_splits()
    room.features["tax"] *= 2
    columns = {"bank": 0, "tax": 4}
    room.run({party: lambda s: room.train(s, columns=columns) for party in room.features})
    error = room.errors["tax"]
    assert isinstance(error, UsageError) and "than were agreed" in error.message
    assert not room.tensors("sums")


def test_sums_of_nodes_that_were_not_asked_about_are_refused() -> None:
    """The tree ends at the root, and yet a pair of its children is said to have sums."""
    room = tax_splits(gamma=1e6)
    assert_caught("tax", "tree=0/sums/depth=1", lambda t: [t[0] | 0xFF, t[1]], room)


# The label holder ------------------------------------------------------------------------------------


def json_of(encryption: Encryption, **changed: str) -> Array:
    text = public_to_json(key_for(encryption).public)
    for old, new in changed.items():
        text = text.replace(old, new)
    return np.frombuffer(text.encode(), np.uint8)


LIES_OF_KEYS: dict[str, Bend] = {
    "no key": lambda t: [np.frombuffer(b"{}", np.uint8)],
    "no text": lambda t: [np.array([255, 254], np.uint8)],
    "another scheme": lambda t: [json_of(Encryption("paillier", 2048, "subgroup"))],
    "another size": lambda t: [json_of(Encryption(bits=3072))],
    "weaker than it says": lambda t: [json_of(QUICK, subgroup="full")],
}


@pytest.mark.parametrize("lie", LIES_OF_KEYS.values(), ids=LIES_OF_KEYS)
def test_a_key_that_was_not_agreed_is_refused(lie: Bend) -> None:
    assert_caught("bank", "key", lie)


def first_row(number: Callable[[Any], Any]) -> Bend:
    return lambda t: [first(number)([t[0], t[0]])[1]]


LIES_OF_GRADIENTS: dict[str, Bend] = {
    "zero": first_row(lambda key: 0 * key.public.n),
    "the modulus": first_row(lambda key: key.public.modulus),
    "no unit": first_row(lambda key: key.second.prime),
    "fewer rows": lambda t: [t[0][:-1]],
    "another width": lambda t: [t[0][:, 1:]],
    "another type": lambda t: [t[0].astype(np.uint16)],
}


@pytest.mark.parametrize("lie", LIES_OF_GRADIENTS.values(), ids=LIES_OF_GRADIENTS)
def test_gradients_that_are_no_ciphertexts_are_refused(lie: Bend) -> None:
    error = refused("bank", "tree=0/gradients/row=0", lie)
    assert error.step.startswith("tree=0/gradients")


LIES_OF_ROWS: dict[str, Bend] = {
    "fewer than a leaf's minimum": lambda t: [np.packbits(np.arange(120) < 9)],
    "none": lambda t: [t[0] & 0],
    "bits of more rows": lambda t: [np.concatenate([t[0], t[0]])],
}


@pytest.mark.parametrize("lie", LIES_OF_ROWS.values(), ids=LIES_OF_ROWS)
def test_a_tree_on_too_few_rows_is_refused(lie: Bend) -> None:
    assert_caught("bank", "tree=0/rows", lie)


def with_row_flipped(row: int) -> Bend:
    return lambda t: [np.packbits(np.unpackbits(t[0]) ^ (np.arange(8 * len(t[0])) == row))]


OTHER_ROWS: dict[str, tuple[dict[str, Any], Bend]] = {
    "one row less of all": ({}, with_row_flipped(40)),
    "one row of the share more or less": ({"subsample": 0.7}, with_row_flipped(40)),
    "the rows of another tree": (
        {"subsample": 0.7},
        lambda t: [np.packbits(np.roll(np.unpackbits(t[0])[:120], 1))],
    ),
    "a validation row": (
        {"validation_share": 0.5, "early_stopping_rounds": 2},
        lambda t: [np.packbits(np.ones(120, dtype=bool))],
    ),
    "fewer rows by gradient": (
        {"top_rate": 0.3, "other_rate": 0.3},
        lambda t: [np.packbits(np.unpackbits(t[0])[:120] & (np.arange(120) > 5))],
    ),
}


@pytest.mark.parametrize(("settings", "lie"), OTHER_ROWS.values(), ids=OTHER_ROWS)
def test_a_tree_on_other_rows_than_agreed_is_refused(settings: dict[str, Any], lie: Bend) -> None:
    """Who may leave out single rows learns from two trees on which side of every split they lie."""
    error = assert_caught("bank", "tree=0/rows", lie, tax_splits(**settings))
    assert "other rows than the contract says" in str(error)


def test_so_it_is_in_a_job_that_goes_on() -> None:
    """Validation rows stay the same enterprises, and everybody keeps them."""
    settings = {"without": ["bank"], "rows": 120, "validation_share": 0.3}
    before = random_room(**settings, n_estimators=1)
    before.run()
    room = random_room(**settings, n_estimators=2)
    every_row: Bend = lambda t: [np.packbits(np.ones(120, dtype=bool))]  # noqa: E731
    room.run({"bank": bent(room, "tree=1/rows", every_row)}, resume=before.grown)
    error = room.errors["tax"]
    assert isinstance(error, PeerError) and error.party == "bank"
    assert "other rows than the contract says" in str(error)


def test_too_few_rows_for_a_tree_are_refused_before_anything_is_said_of_it() -> None:
    room = tax_splits(subsample=0.05)
    room.run()
    error = room.errors["bank"]
    assert isinstance(error, RefusedError)
    assert "fewer training rows" in str(error)
    assert not room.tensors("gradients")


def test_sums_that_would_not_be_exact_are_refused() -> None:
    room = tax_splits(scale_pos_weight=1e3, top_rate=0.1, other_rate=1e-9)
    room.run()
    assert isinstance(room.errors["bank"], RefusedError)


def taken(*places: int) -> Bend:
    """Other places are taken in the root."""

    def bend(tensors: list[Array]) -> list[Array]:
        bits = np.zeros(8 * tensors[0].shape[1], dtype=bool)
        bits[list(places)] = True
        return [np.packbits(bits).reshape(tensors[0].shape)]

    return bend


LIES_OF_CHOICES: dict[str, Bend] = {
    "all that are offered and all that are not": lambda t: [t[0] | 0xFF],
    "nodes that are not there": lambda t: [np.concatenate([t[0], t[0]])],
    "no nodes": lambda t: [t[0][:0]],
    "fewer places": lambda t: [t[0][:, :-1]],
    "more places": lambda t: [np.concatenate([t[0], t[0]], axis=1)],
    "another type": lambda t: [t[0].astype(np.int64)],
}


@pytest.mark.parametrize("lie", LIES_OF_CHOICES.values(), ids=LIES_OF_CHOICES)
def test_choices_of_what_was_not_offered_are_refused_before_any_row_is_told(lie: Bend) -> None:
    room = tax_splits()
    assert_caught("bank", CHOSEN, lie, room)
    assert not room.tensors("left")


@pytest.mark.parametrize("minimum", [10, 25], ids=["no candidate", "one that was dropped"])
def test_a_choice_of_what_was_not_kept_is_refused(minimum: int) -> None:
    room = tax_splits(min_leaf_rows=minimum)

    def bend(tensors: list[Array]) -> list[Array]:
        left_out = np.flatnonzero(np.unpackbits(room.tensors("sums")[0], count=PLACES) == 0)
        return taken(left_out[0])(tensors)

    assert_caught("bank", CHOSEN, bend, room)
    assert not room.tensors("left")


def without_the_root(tensors: list[Array]) -> list[Array]:
    return [tensors[0] & 0, tensors[1] & 0]


LIES_OF_SIDES: dict[str, Bend] = {
    "a node that is not there": lambda t: [t[0] | 0x40, t[1]],
    "more nodes": lambda t: [np.concatenate([t[0], t[0]]), t[1]],
    "a number in place of nodes": lambda t: [t[0].reshape(()), t[1]],
    "a table in place of nodes": lambda t: [t[0].reshape(1, 1), t[1]],
    "no bits": lambda t: [t[0]],
    "a row that does not exist": lambda t: [t[0], np.append(t[1], np.uint8(0x80))],
    "bits of fewer rows": lambda t: [t[0], t[1][:-1]],
    "other rows than the owner said": lambda t: [t[0], t[1] ^ 1],
    "our split left out": without_the_root,
}


@pytest.mark.parametrize("lie", LIES_OF_SIDES.values(), ids=LIES_OF_SIDES)
def test_sides_that_are_not_ours_are_refused(lie: Bend) -> None:
    assert_caught("bank", ROOT_SIDES, lie)


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_a_node_smaller_than_the_smallest_leaf_is_refused(rows: int) -> None:
    """Of another party's split, of which we know nothing but the rows."""
    room = random_room(PARTIES[:3], rows=120, without=["bank", "tax"], n_estimators=1)
    room.features["tax"] = random_room(rows=120).features["tax"][2:3]
    room.features["tax"][0].bins[:] = 0  # never split on
    few = np.packbits(np.arange(120) < rows)
    room.run({"bank": bent(room, ROOT_SIDES, lambda t: [t[0], few])})
    error = room.errors["tax"]
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == ("bank", ROOT_SIDES)
    assert "fewer rows" in str(error)


@pytest.mark.parametrize("what", [[1, 0], [1, 5], [1, -1], [0, 3], [0, -1], [7, 1]])
def test_trees_are_counted(what: list[int]) -> None:
    """Of two trees the second is announced as another, or more are counted than there are."""
    room = tax_splits()
    seen: list[int] = []

    def bend(tensors: list[Array]) -> list[Array]:
        seen.append(len(seen))
        return [np.array(what, np.int64)] if len(seen) == 2 else tensors

    assert_caught("bank", "tree", bend, room)


# Peers that go away ----------------------------------------------------------------------------------

STEPS_OF_THE_BANK = ["trees", "key", "tree", "tree=0/rows", "tree=0/gradients/row=0", CHOSEN, ROOT_SIDES]
STEPS_OF_TAX = [
    "trees",
    ROOT_SUMS,
    ROOT_LEFT,
    "tree=0/sums/depth=1",
    "tree=1/sums/depth=0",
]


@pytest.mark.parametrize(
    ("leaver", "step"), [("bank", s) for s in STEPS_OF_THE_BANK] + [("tax", s) for s in STEPS_OF_TAX]
)
def test_a_peer_that_dies_is_named_and_nobody_waits(leaver: str, step: str) -> None:
    room = tax_splits()

    def die(_: list[Array]) -> list[Array]:
        raise RuntimeError("out of memory")

    found = room.run({leaver: bent(room, step, die)})
    other = "bank" if leaver == "tax" else "tax"
    error = room.errors[other]
    assert found == {}
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == (leaver, step)


@pytest.mark.parametrize("staller", ["bank", "tax"])
def test_a_peer_that_stalls_at_the_start_is_named(staller: str) -> None:
    room = tax_splits(timeout_s=0.3)
    room.run({staller: lambda s: None})
    (error,) = room.errors.values()
    assert isinstance(error, PeerTimeout)
    assert (error.party, error.step) == (staller, "trees")


def test_a_feature_holder_that_stalls_later_is_named() -> None:
    """It goes on to wait for sides without having said which rows go left."""
    room = tax_splits()
    gone = threading.Event()

    def stall(_: list[Array]) -> list[Array]:
        gone.wait(timeout=LIMIT_S)
        raise RuntimeError("never mind")

    def impatient(tensors: list[Array]) -> list[Array]:
        room.sessions["bank"]._timeout_s = 0.3
        return tensors

    def bank(s: Session) -> Any:
        try:
            return bent(room, CHOSEN, impatient)(s)
        finally:
            gone.set()

    room.run({"tax": bent(room, ROOT_LEFT, stall), "bank": bank})
    error = room.errors["bank"]
    assert isinstance(error, PeerTimeout)
    assert (error.party, error.step) == ("tax", ROOT_LEFT)


def test_errors_hold_no_values() -> None:
    """Neither sums nor rows nor columns stand in what an error says."""
    room = tax_splits()
    error = assert_caught("tax", ROOT_LEFT, flipped(17), room)
    assert not any(character.isdigit() for character in str(error).replace(ROOT_LEFT, ""))
