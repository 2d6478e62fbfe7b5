"""Parties that count events together in memory, and everything that was said meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from saferoom.channel.codec import decode
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.he.keys import Encryption
from saferoom.he.workers import Workers
from saferoom.protocols.bin_groups import count_plain
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums, count_own
from saferoom.protocols.label_counts import count_events
from tests.he_keys import QUICK, key_for
from tests.waiting import LIMIT_S

PARTIES = ("bank", "tax", "power", "water")
Features = dict[str, list[BinnedFeature]]
Role = Callable[[Session], Any]


@dataclass
class LabelRoom:
    """The bank has the labels. `said` are (sender, receiver, label, tensors) in order of sending."""

    labels: np.ndarray[Any, Any]
    features: Features
    minimums: Minimums = field(default_factory=lambda: Minimums(5, 2))
    encryption: Encryption = QUICK
    timeout_s: float = LIMIT_S
    said: list[tuple[str, str, str, list[np.ndarray[Any, Any]]]] = field(default_factory=list)
    declared: dict[str, list[Disclosure]] = field(default_factory=dict)
    on_disclosure: Mapping[str, Callable[[Disclosure], None]] = field(default_factory=dict)
    """What a party does with its disclosures instead of having them kept in `declared`."""
    sessions: dict[str, Session] = field(default_factory=dict)

    def run(self, instead: Mapping[str, Role] | None = None) -> dict[str, list[FeatureCounts]]:
        """Every party counts; `instead` replaces what some party does."""
        network = MemoryNetwork(tap=lambda a, b, message: self.said.append((a, b, *decode(message))))
        parties = tuple(self.features)
        for party in parties:
            self.declared[party] = []
            self.sessions[party] = Session(
                network.endpoint(party),
                parties,
                timeout_s=self.timeout_s,
                on_disclosure=self.on_disclosure.get(party, self.declared[party].append),
            )
        roles = {
            party: lambda p=party: (instead or {}).get(p, self.count)(self.sessions[p]) for party in parties
        }
        return run_together(roles, network)

    def count(self, s: Session, workers: Workers | None = None) -> list[FeatureCounts]:
        """What an honest party does."""
        return count_events(
            s,
            "bank",
            len(self.labels),
            self.minimums,
            labels=self.labels if s.me == "bank" else None,
            features=self.features[s.me],
            encryption=self.encryption,
            key=key_for(self.encryption) if s.me == "bank" else None,
            workers=workers,
        )


def expected(room: LabelRoom, party: str) -> list[FeatureCounts]:
    """What the party should be told: the bank has its labels, the others have minimums."""
    if party == "bank":
        return count_own(room.features[party], room.labels)
    return count_plain(room.features[party], room.labels, room.minimums)


def random_features(
    rng: np.random.Generator, rows: int, shapes: Sequence[tuple[int, int]]
) -> list[BinnedFeature]:
    """One column for each (bins, ordered): skewed, and with an empty bin now and then."""
    found = []
    for count, ordered in shapes:
        weights = rng.random(count) ** 2 + 1e-9
        found.append(BinnedFeature(rng.choice(count, rows, p=weights / weights.sum()), count, ordered))
    return found


def random_room(parties: int, rows: int = 300, classes: int = 1, **settings: Any) -> LabelRoom:
    """Some columns at every party, the label holder included."""
    rng = np.random.default_rng(parties * 1000 + classes)
    labels = (rng.random((rows, classes)) < 0.3).astype(np.int64)
    shapes = [(6, 5), (4, 4), (5, 0)]
    features = {party: random_features(rng, rows, shapes) for party in PARTIES[:parties]}
    return LabelRoom(labels[:, 0] if classes == 1 else labels, features, **settings)
