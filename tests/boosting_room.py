"""Parties that grow boosted trees together in memory, and everything that was said meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from saferoom.channel.codec import decode
from saferoom.channel.memory import MemoryNetwork
from saferoom.channel.session import Disclosure, Session
from saferoom.he.keys import Encryption
from saferoom.he.workers import Workers
from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.plain import PlainBoosting, fit_boosting_plain
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.train import Grown, Labels, train_boosting
from saferoom.protocols.bins import BinnedFeature
from tests.he_keys import QUICK, key_for
from tests.waiting import LIMIT_S

PARTIES = ("bank", "tax", "power", "water")
Array = np.ndarray[Any, Any]
Role = Callable[[Session], Any]
Said = tuple[str, str, str, list[Array]]

SMALL = BoostingSettings(n_estimators=2, max_depth=3, max_bin=8, min_leaf_rows=10)


@dataclass
class BoostingRoom:
    """The bank has the labels. `said` are (sender, receiver, label, tensors) in order of sending."""

    features: dict[str, list[BinnedFeature]]
    y: Array
    settings: BoostingSettings = SMALL
    weights: Array | None = None
    encryption: Encryption = QUICK
    timeout_s: float = LIMIT_S
    said: list[Said] = field(default_factory=list)
    declared: dict[str, list[Disclosure]] = field(default_factory=dict)
    on_disclosure: Mapping[str, Callable[[Disclosure], None]] = field(default_factory=dict)
    """What a party does with its disclosures instead of having them kept in `declared`."""
    errors: dict[str, BaseException] = field(default_factory=dict)
    grown: dict[str, Grown] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    def run(
        self, instead: Mapping[str, Role] | None = None, resume: Mapping[str, Grown] | None = None
    ) -> dict[str, LocalTrees]:
        """Every party trains; `instead` replaces what some party does. `errors` has what each ended with."""
        network = MemoryNetwork(tap=lambda a, b, message: self.said.append((a, b, *decode(message))))
        parties = tuple(self.features)
        found: dict[str, LocalTrees] = {}

        def work(party: str) -> None:
            try:
                found[party] = (instead or {}).get(party, self.train)(self.sessions[party])
            except BaseException as error:
                self.errors[party] = error
                network.close(party, [other for other in parties if other != party])

        self.grown = dict(resume or {})
        for party in parties:
            self.declared[party] = []
            self.sessions[party] = Session(
                network.endpoint(party),
                parties,
                timeout_s=self.timeout_s,
                on_disclosure=self.on_disclosure.get(party, self.declared[party].append),
            )
        threads = [threading.Thread(target=work, args=(party,)) for party in parties]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def train(self, s: Session, **changed: Any) -> LocalTrees:
        """What an honest party does."""
        is_bank = s.me == "bank"
        with Workers(0) as workers:
            asked: dict[str, Any] = {
                "label_holder": "bank",
                "columns": {party: len(columns) for party, columns in self.features.items()},
                "labels": Labels(self.y, self.weights) if is_bank else None,
                "encryption": self.encryption,
                "key": key_for(self.encryption) if is_bank else None,
                "workers": workers,
                "resume": self.grown.get(s.me),
            }
            trees, grown = train_boosting(s, self.features[s.me], self.settings, **asked | changed)
        self.grown[s.me] = grown
        return trees

    def plain(self) -> PlainBoosting:
        """The twin."""
        return fit_boosting_plain(self.features, self.y, "bank", self.settings, self.weights)

    def tensors(self, label: str, sender: str | None = None, to: str | None = None) -> list[Array]:
        """Of all messages whose last labels' name is `label`: `sums`, `sides`, …"""
        return [
            tensor
            for a, b, said, tensors in self.said
            if name_of(said) == label and sender in (None, a) and to in (None, b)
            for tensor in tensors
        ]


def name_of(label: str) -> str:
    """What a message is, without the tree, depth and rows it is about."""
    return next(part for part in label.split("/") if "=" not in part)


def numbers(rng: np.random.Generator, rows: int, bins: int, *, missing: float = 0.0) -> BinnedFeature:
    """A column of ordered bins, skewed; some values missing."""
    found = np.minimum((rng.random(rows) ** 1.5 * bins).astype(np.int64), bins - 1)
    if not missing:
        return BinnedFeature(found.astype(np.uint8), bins, bins)
    found[rng.random(rows) < missing] = bins
    return BinnedFeature(found.astype(np.uint8), bins + 1, bins)


def levels(rng: np.random.Generator, rows: int, count: int) -> BinnedFeature:
    """A category; later levels are rarer."""
    chances = 1.0 / np.arange(1, count + 1)
    found = rng.choice(count, rows, p=chances / chances.sum())
    return BinnedFeature(found.astype(np.uint8), count, 0)


def random_room(
    parties: Sequence[str] = PARTIES[:2],
    rows: int = 300,
    *,
    without: Sequence[str] = (),
    seed: int = 0,
    encryption: Encryption = QUICK,
    timeout_s: float = LIMIT_S,
    **settings: Any,
) -> BoostingRoom:
    """Numbers, numbers with gaps, categories of two and of five levels at each party not in `without`.

    Every column counts for the label, so that every party owns splits.
    """
    rng = np.random.default_rng(seed)
    features = {
        party: []
        if party in without
        else [
            numbers(rng, rows, 8),
            numbers(rng, rows, 6, missing=0.15),
            levels(rng, rows, 2),
            levels(rng, rows, 5),
        ]
        for party in parties
    }
    columns = [column for of_party in features.values() for column in of_party]
    margin = sum(rng.normal() * (c.bins - c.bins.mean()) / c.bins.std() for c in columns)
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    changed = {name: getattr(SMALL, name) for name in SMALL.__slots__} | settings
    return BoostingRoom(features, y, BoostingSettings(**changed), encryption=encryption, timeout_s=timeout_s)
