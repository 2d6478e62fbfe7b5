"""Label counts: those of the plain twin, for any number of parties, scheme and class; traffic; lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.codec import encode
from saferoom.channel.session import Session
from saferoom.errors import PeerError, PeerTimeout, RefusedError, SafeRoomError, ShapeError, UsageError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.key_files import public_to_json
from saferoom.he.keys import Encryption
from saferoom.he.packing import Slots
from saferoom.he.vectors import encrypt_vector
from saferoom.he.workers import Workers
from saferoom.protocols import label_counts as module
from saferoom.protocols.bin_groups import PAIRINGS
from saferoom.protocols.bins import FeatureCounts, Minimums
from saferoom.protocols.label_counts import count_events
from saferoom.protocols.shuffled_bins import NOT_ASKED
from saferoom.sharing.values import Public
from tests.he_keys import KINDS, QUICK, key_for
from tests.label_room import LabelRoom, expected, random_room


def assert_same(found: list[FeatureCounts], plain: list[FeatureCounts]) -> None:
    assert len(found) == len(plain)
    for one, other in zip(found, plain, strict=True):
        assert np.array_equal(one.merged, other.merged)
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.events, other.events)
        assert np.array_equal(one.estimated, other.estimated)


def assert_as_plain(room: LabelRoom) -> None:
    found = room.run()
    for party in room.features:
        assert_same(found[party], expected(room, party))


@pytest.mark.parametrize("parties", [2, 3, 4])
def test_every_party_gets_the_counts_of_the_plain_twin(parties: int) -> None:
    assert_as_plain(random_room(parties))


@pytest.mark.parametrize("encryption", KINDS, ids=str)
def test_with_every_scheme_size_and_randomness(encryption: Encryption) -> None:
    assert_as_plain(random_room(2, rows=200, encryption=encryption))


def test_several_classes_in_one_ciphertext() -> None:
    assert_as_plain(random_room(2, classes=3))


def test_chunks_cover_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 50)
    assert_as_plain(random_room(3))


def test_with_worker_processes() -> None:
    room = random_room(2)
    with Workers(2) as workers:
        found = room.run({"tax": lambda s: room.count(s, workers)})
    assert_same(found["tax"], expected(room, "tax"))


# What the traffic is ---------------------------------------------------------------------------------


def overhead(label: str, *tensors: np.ndarray[Any, Any]) -> int:
    return sum(len(part) for part in encode(label, tensors)) - sum(t.nbytes for t in tensors)


@pytest.mark.parametrize("parties", [2, 3])
def test_rounds_and_bytes_are_those_of_the_docstring(parties: int) -> None:
    room = random_room(parties)
    room.run()
    width = key_for().public.width_bytes
    echo = parties > 2
    assert room.sessions["bank"].meter.rounds == 2 + PAIRINGS
    for party in list(room.features)[1:]:
        assert room.sessions[party].meter.rounds == 3 + PAIRINGS + echo
        sent: dict[str, int] = {}
        for sender, receiver, label, tensors in room.said:
            if {sender, receiver} == {"bank", party}:
                name = label.split("/")[0]
                sent[name] = sent.get(name, 0) + sum(tensor.nbytes for tensor in tensors)
        slots = next(int(t[0][0]) for a, _, label, t in room.said if label == "slots" and a == party)
        packed = Slots(len(room.labels).bit_length(), QUICK.plain_bits).plaintexts(slots)
        assert sent == {
            "slots": 8,
            "counters": parties,
            **({"before labels": 2 * 32 * parties} if echo else {}),
            "key": 16 + len(public_to_json(key_for().public)),
            "labels": width * len(room.labels),
            "sums": width * packed,
            "total": 8,
            "enough": slots * (1 + PAIRINGS),
            "groups": 4 * slots * PAIRINGS,
            "asked": 4 * slots,
            "events": 8 * slots,
        }
        assert overhead("sums", np.zeros((packed, width), np.uint8)) < 64
    among_others = {label for a, b, label, _ in room.said if "bank" not in (a, b)}
    assert among_others == ({"before labels/echo"} if echo else set())


def test_a_party_without_columns_is_not_sent_the_labels() -> None:
    room = random_room(3)
    room.features["power"] = []
    found = room.run()
    assert found["power"] == []
    heard = [label for _, receiver, label, _ in room.said if receiver == "power"]
    assert heard == ["counters", *["before labels/echo"] * 2]


def test_nobody_with_columns_means_nothing_is_encrypted() -> None:
    room = random_room(2)
    room.features["tax"] = []
    found = room.run()
    assert_same(found["bank"], expected(room, "bank"))
    assert [label for _, _, label, _ in room.said] == ["slots", "counters"]


# What is refused -------------------------------------------------------------------------------------


def test_fewer_events_in_all_than_the_minimum_are_refused() -> None:
    room = random_room(2)
    room.labels = np.zeros(300, dtype=np.int64)
    with pytest.raises(RefusedError, match="fewer events"):
        room.run()
    assert not [label for _, _, label, _ in room.said if label != "slots"]


def test_a_column_with_fewer_rows_than_the_minimum_is_refused_before_anything_is_said() -> None:
    room = random_room(2, minimums=Minimums(301, 1))
    with pytest.raises(RefusedError):
        room.run({"bank": lambda s: None})
    assert room.said == []


@pytest.mark.parametrize("where", ["nobody", "both"])
def test_labels_are_given_at_the_label_holder_alone(where: str) -> None:
    room = random_room(2)

    def call(s: Session) -> Any:
        return count_events(s, "bank", 300, room.minimums, labels=room.labels if where == "both" else None)

    with pytest.raises(UsageError, match="label"):
        room.run({"tax": call} if where == "both" else {"bank": call})


def test_wrong_calls_are_refused() -> None:
    room = random_room(2)
    table = room.labels

    def call(s: Session, **settings: Any) -> Any:
        asked = {"label_holder": "bank", "rows": 300, "minimums": room.minimums, "labels": table, **settings}
        return count_events(s, **asked)

    for settings in ({"label_holder": "gas"}, {"rows": 301}, {"labels": table * 2}):
        with pytest.raises((UsageError, ShapeError)):
            random_room(2).run({"bank": lambda s, e=settings: call(s, **e), "tax": lambda s: None})
    with pytest.raises(UsageError, match="was agreed"):
        room.run({"bank": lambda s: call(s, encryption=Encryption(bits=2048), key=key_for(QUICK))})


# Peers that do not follow ----------------------------------------------------------------------------


def caught(room: LabelRoom, liar: str, lie: Any) -> SafeRoomError:
    with pytest.raises(SafeRoomError) as error:
        room.run({liar: lie})
    return error.value


BOTH = np.array([0, 1], np.uint32)


def lying_feature_holder(sums: Any = None, groups: Any = BOTH, asked: Any = BOTH, slots: int = 2) -> Any:
    """Plays along up to the step it lies at."""

    def play(s: Session) -> None:
        s.send("bank", "slots", Public(np.array([slots], np.uint64)))
        key = key_for()
        s.receive("bank", "counters")
        s.receive("bank", "key")
        s.receive("bank", "labels/row=0")
        layout = Slots(9, QUICK.plain_bits)
        honest = encrypt_vector(key, [layout.pack([10, 12])], Workers(0))
        s.send("bank", "sums", honest if sums is None else sums(key))
        s.receive("bank", "total")
        s.receive("bank", "enough/pairing=0")
        for number in range(1, 1 + PAIRINGS):
            s.send("bank", f"groups/pairing={number}", Public(groups))
            s.receive("bank", f"enough/pairing={number}")
        s.send("bank", "asked", Public(asked))
        s.receive("bank", "events")

    return play


def one(number: Any) -> Any:
    return lambda key: Ciphertexts.of([number(key)], key.public.width_bytes)


LIES_OF_SUMS = {
    "a tensor of another kind": lambda key: Public(np.zeros(3)),
    "too many ciphertexts": lambda key: encrypt_vector(key, [1, 2], Workers(0)),
    "another width": lambda key: Ciphertexts(np.ones((1, 8), np.uint8)),
    "zero": one(lambda key: 0 * key.public.n),
    "the modulus": one(lambda key: key.public.n),
    "no unit": one(lambda key: key.first.prime),
    "no ciphertext": one(lambda key: key.public.n - 4),
    "something above the slots": one(lambda key: key.encrypt(1 << 18)),
    "out of range": one(lambda key: pow(key.encrypt(1 << 680), 2, key.public.n)),
    "more events than there are": one(lambda key: key.encrypt(511)),
}


@pytest.mark.parametrize("lie", LIES_OF_SUMS.values(), ids=LIES_OF_SUMS)
def test_sums_that_cannot_be_are_refused_and_their_sender_named(lie: Any) -> None:
    error = caught(random_room(2), "tax", lying_feature_holder(sums=lie))
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == ("tax", "sums")


@pytest.mark.parametrize(
    "groups",
    [
        np.array([0, 2], np.uint32),
        np.array([1, 1], np.uint32),
        np.array([0, 0xFFFFFFFF], np.uint32),
        np.array([0], np.uint32),
        np.array([0, 1], np.int64),
    ],
)
def test_groups_that_are_no_partition_are_refused(groups: np.ndarray[Any, Any]) -> None:
    error = caught(random_room(2), "tax", lying_feature_holder(groups=groups))
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == ("tax", "groups/pairing=1")


@pytest.mark.parametrize(
    ("groups", "asked"),
    [
        (np.array([0, 0], np.uint32), np.array([0, 1], np.uint32)),
        (np.array([0, 0], np.uint32), np.array([0, NOT_ASKED], np.uint32)),
        (BOTH, np.array([1, NOT_ASKED], np.uint32)),
        (BOTH, np.array([0, 1], np.int64)),
    ],
)
def test_counts_of_parts_of_what_was_put_together_are_refused(
    groups: np.ndarray[Any, Any], asked: np.ndarray[Any, Any]
) -> None:
    error = caught(random_room(2), "tax", lying_feature_holder(groups=groups, asked=asked))
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == ("tax", "asked")


def test_a_count_below_the_minimum_is_not_given_to_who_asks_for_it() -> None:
    room = random_room(2, minimums=Minimums(5, 11))
    error = caught(room, "tax", lying_feature_holder())
    assert "below the minimum" in str(error)
    assert not [label for _, _, label, _ in room.said if label == "events"]


def test_too_many_bins_are_refused() -> None:
    assert caught(random_room(2), "tax", lying_feature_holder(slots=1 << 30)).step == "slots"


def lying_label_holder(**lies: Any) -> Any:
    """Sends a key, labels, flags and counts, the named ones bent."""

    def play(s: Session) -> None:
        key = key_for()
        slots = int(s.receive("tax", "slots")[0][0])
        s.send("tax", "counters", Public(lies.get("counters", np.array([False, True]))))
        text = np.frombuffer(lies.get("text", public_to_json(key.public)).encode(), np.uint8)
        s.send("tax", "key", Public(lies.get("head", np.array([300, 1], np.uint64))), Public(text))
        labels = encrypt_vector(key, [1] * 300, Workers(0))
        s.send("tax", "labels/row=0", lies.get("labels", lambda honest: honest)(labels))
        s.receive("tax", "sums")
        s.send("tax", "total", Public(lies.get("total", np.array([300], np.int64))))
        groups = np.arange(slots)
        for number in range(1 + PAIRINGS):
            groups = s.receive("tax", f"groups/pairing={number}")[0] if number else groups
            enough = (np.arange(slots) <= groups.max()).astype(np.uint8)
            s.send("tax", f"enough/pairing={number}", Public(lies.get("enough", enough)))
        asked = s.receive("tax", "asked")[0]
        count = int(asked[asked != NOT_ASKED].max(initial=0)) + 1
        told = lies["events"](count)
        s.send("tax", "events", Public(np.append(told, np.zeros((slots - len(told), 1), told.dtype), axis=0)))

    return play


def with_first(number: Any) -> Any:
    def bend(honest: Ciphertexts) -> Ciphertexts:
        numbers = honest.numbers()
        return Ciphertexts.of([number(key_for()), *numbers[1:]], honest.value.shape[1])

    return bend


NARROW = np.ones((300, 8), np.uint8)
LIES_OF_THE_LABEL_HOLDER = {
    "that we do not count": ("counters", {"counters": np.array([True, False])}),
    "other rows": ("key", {"head": np.array([301, 1], np.uint64)}),
    "no classes": ("key", {"head": np.array([300, 0], np.uint64)}),
    "a bad header": ("key", {"head": np.array([300], np.uint64)}),
    "no key": ("key", {"text": "{}"}),
    "a weak key": ("key", {"text": public_to_json(key_for().public).replace('"subgroup"', '"full"')}),
    "zero as a label": ("labels", {"labels": with_first(lambda key: 0 * key.public.n)}),
    "a label beyond the modulus": ("labels", {"labels": with_first(lambda key: key.public.n + 1)}),
    "a label that is no unit": ("labels", {"labels": with_first(lambda key: key.second.prime)}),
    "labels of another width": (
        "labels/row=0",
        {"labels": lambda _: Ciphertexts(np.ones((300, 8), np.uint8))},
    ),
    "more events in all than rows": ("total", {"total": np.array([301], np.int64)}),
    "a total of another shape": ("total", {"total": np.array([60, 60], np.int64)}),
    "flags of another shape": ("enough/pairing=0", {"enough": np.ones(1, np.uint8)}),
    "more events than rows": ("events", {"events": lambda n: np.full((n, 1), 301, np.int64)}),
    "negative events": ("events", {"events": lambda n: np.full((n, 1), -1, np.int64)}),
    "more events in a column than in all": (
        "events",
        {"total": np.array([20], np.int64), "events": lambda n: np.full((n, 1), 15, np.int64)},
    ),
    "a count that was not asked for": ("events", {"events": lambda n: np.full((n + 1, 1), 5, np.int64)}),
    "events of another type": ("events", {"events": lambda n: np.zeros((n, 1))}),
}


@pytest.mark.parametrize(("step", "lies"), LIES_OF_THE_LABEL_HOLDER.values(), ids=LIES_OF_THE_LABEL_HOLDER)
def test_a_label_holder_that_lies_is_found_out(step: str, lies: dict[str, Any]) -> None:
    error = caught(random_room(2), "bank", lying_label_holder(**lies))
    assert isinstance(error, PeerError)
    assert (error.party, error.step) == ("bank", step)


def test_a_party_that_stalls_is_named() -> None:
    error = caught(random_room(2, timeout_s=0.3), "tax", lambda s: None)
    assert isinstance(error, PeerTimeout)
    assert (error.party, error.step) == ("tax", "slots")
    error = caught(random_room(2, timeout_s=0.3), "bank", lambda s: None)
    assert isinstance(error, PeerTimeout)
    assert (error.party, error.step) == ("bank", "counters")
