"""A room in memory for protocol tests: parties and dealer, each with its session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.meter import Meter
from saferoom.channel.session import Disclosure, Session
from saferoom.protocols.dealing import Dealer, deal_seeds, receive_seed
from saferoom.protocols.randomness import Randomness
from saferoom.ring.fixed import decode, encode
from saferoom.sharing.values import Share
from tests.waiting import LIMIT_S

HELPER = "helper"


@dataclass
class Played:
    """What came of a protocol: every party's result, meter and declared disclosures, and all messages."""

    results: list[Any]
    meters: dict[str, Meter]
    disclosures: list[Disclosure] = field(default_factory=list)
    messages: list[tuple[str, str, bytes]] = field(default_factory=list)


class Room:
    """Runs a protocol for `k` parties: `party(session, randomness, index)` and `dealer(dealer, session)`.

    `played` is of the last run, also of one that failed. `on_disclosure` may refuse what is kept there.
    `network` makes another network than an honest one.
    """

    def __init__(
        self,
        timeout_s: float = LIMIT_S,
        *,
        keep_messages: bool = True,
        on_disclosure: Callable[[Disclosure], None] | None = None,
        network: Callable[..., MemoryNetwork] = MemoryNetwork,
    ) -> None:
        self.network = network
        self.timeout_s = timeout_s
        self.keep_messages = keep_messages
        self.on_disclosure = on_disclosure
        self.played = Played([], {})

    def names(self, k: int) -> list[str]:
        return [f"p{i}" for i in range(k)]

    def play(
        self,
        k: int,
        party: Callable[[Session, Randomness, int], Any],
        dealer: Callable[[Dealer, Session], None],
    ) -> Played:
        def run_party(session: Session, index: int) -> Any:
            randomness = receive_seed(session)
            session.meter.rounds = 0
            session.meter.sent.clear()
            return party(session, randomness, index)

        def run_dealer(session: Session) -> None:
            dealt = deal_seeds(session)
            session.meter.sent.clear()
            dealer(dealt, session)

        return self.run(k, run_party, run_dealer)

    def run(
        self, k: int, party: Callable[[Session, int], Any], helper: Callable[[Session], Any] | None
    ) -> Played:
        """Like `play`, without dealt randomness."""
        played = self.played = Played([], {})
        keep = (lambda *message: played.messages.append(message)) if self.keep_messages else None
        network = self.network(keep)
        names = self.names(k)
        sessions = {
            name: Session(
                network.endpoint(name),
                names,
                helper=HELPER if helper else None,
                timeout_s=self.timeout_s,
                on_disclosure=self.on_disclosure or played.disclosures.append,
            )
            for name in [*names, HELPER]
        }
        roles: dict[str, Callable[[], Any]] = {
            name: (lambda name=name, i=i: party(sessions[name], i)) for i, name in enumerate(names)
        }
        if helper:
            roles[HELPER] = lambda: helper(sessions[HELPER])
        results = run_together(roles, network)
        played.results = [results[name] for name in names]
        played.meters = {name: session.meter for name, session in sessions.items()}
        return played


class Shares:
    """Splits plain arrays into shares and puts shares together."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)

    def split(self, values: Any, k: int, frac_bits: int, dtype: Any = np.uint64) -> list[Share]:
        words = encode(values, frac_bits, dtype)
        bits = np.dtype(dtype).itemsize * 8
        parts = [self.rng.integers(0, 2**bits, words.shape, dtype=dtype) for _ in range(k - 1)]
        last = words.copy()
        for part in parts:
            last -= part
        return [Share(part, frac_bits) for part in [*parts, last]]

    def join(self, shares: list[Share]) -> Any:
        total = shares[0].value.copy()
        for share in shares[1:]:
            total += share.value
        return decode(total, shares[0].frac_bits)
