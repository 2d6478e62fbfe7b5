"""Label counts: those of the plain twin, for any number of parties, scheme and class; traffic; lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.he.keys import Encryption
from saferoom.he.workers import Workers
from saferoom.protocols import label_counts as module
from saferoom.protocols.bins import FeatureCounts, count_plain
from tests.he_keys import KINDS
from tests.label_room import LabelRoom, random_room


def assert_same(found: list[FeatureCounts], expected: list[FeatureCounts]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.merged, other.merged)
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.events, other.events)


def assert_as_plain(room: LabelRoom) -> None:
    found = room.run()
    for party, features in room.features.items():
        assert_same(found[party], count_plain(features, room.labels, room.minimums))


@pytest.mark.parametrize("parties", [2, 3, 4])
def test_every_party_gets_the_counts_of_the_plain_twin(parties: int) -> None:
    assert_as_plain(random_room(parties))


@pytest.mark.parametrize("encryption", KINDS, ids=str)
def test_with_every_scheme_size_and_randomness(encryption: Encryption) -> None:
    assert_as_plain(random_room(2, rows=40, encryption=encryption))


def test_several_classes_in_one_ciphertext() -> None:
    assert_as_plain(random_room(2, classes=3))


def test_chunks_cover_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 50)
    assert_as_plain(random_room(3))


def test_with_worker_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    room = random_room(2)

    def with_processes(s: Session) -> Any:
        monkeypatch.setattr("tests.label_room.Workers", lambda _: Workers(2))
        return room.count(s)

    found = room.run({"tax": with_processes})
    assert_same(found["tax"], count_plain(room.features["tax"], room.labels, room.minimums))
