"""What the dealer deals, and how little of it has to travel.

Each party and the dealer expand the same masks from a seed that only those two know. Two kinds of gift:

    mask     every party holds a uniform share; the dealer knows all of them, so it knows their sum.
             Nothing travels.
    share    the dealer computes a value from masks; all parties but one take mask words as their share, and
             the remaining one, by turns, is sent `value - sum of the others`: it is uniform to it.

A value may be shared `among` some of the parties only. Bits are shared packed, with `xor` in the place of
sums. Each group of parties takes turns of its own for each type of words, so that the load is even.

The dealer only sends: it never waits for a party, and learns nothing but public sizes.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saferoom.channel.session import Session
from saferoom.errors import UsageError
from saferoom.ring.prg import SEED_BYTES, Stream
from saferoom.sharing.masks import MaskBook
from saferoom.sharing.values import Bits, Masked, MaskedBits, Seed, Words

Group: TypeAlias = tuple[str, ...]


class Deals:
    """The party's end. Steps must come in the same order as at the dealer."""

    def __init__(self, session: Session, helper: str, book: MaskBook) -> None:
        self._session = session
        self.helper = helper
        self._book = book
        self._turns = _Turns()

    def mask(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """This party's share of a uniform mask that the dealer knows. Local."""
        return self._book.spend(self._session.step(label), shape, dtype)

    def share(
        self,
        label: str,
        shape: tuple[int, ...],
        dtype: DTypeLike = np.uint64,
        among: Group | None = None,
    ) -> Words:
        """This party's share of a value that the dealer computes; received if it is this party's turn.

        `among`: the parties that share it, this one with them; all of them unless it is said.
        """
        if self._turns.next(among or self._session.parties, dtype) == self._session.me:
            return self._session.receive_one(self.helper, label, shape, dtype)
        return self._book.spend(self._session.step(label), shape, dtype)


class Dealer:
    """The dealer's end."""

    def __init__(self, session: Session, books: dict[str, MaskBook]) -> None:
        self._session = session
        self._books = books
        self._turns = _Turns()

    @property
    def parties(self) -> tuple[str, ...]:
        return self._session.parties

    def mask_of(self, party: str, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """One party's mask, where only that party has one."""
        return self._books[party].spend(self._session.step(label), shape, dtype)

    def masks(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> list[Words]:
        """All parties' shares of a mask, in the public order of the parties."""
        return [self.mask_of(party, label, shape, dtype) for party in self.parties]

    def private_stream(self) -> Stream:
        """Fresh randomness that the dealer alone knows, for rounding."""
        return Stream(secrets.token_bytes(SEED_BYTES), "private")

    def share(self, label: str, value: NDArray[Any], among: Group | None = None) -> None:
        """Deal `value` (uint64 or uint32, any shape); the array is consumed.

        Sends: its bytes, to one party.
        """
        turn = self._take_masks(label, value, among or self.parties, np.subtract)
        self._session.send(turn, label, Masked(value, 0))

    def share_bits(self, label: str, value: Bits, among: Group | None = None) -> None:
        """Deal packed bits, any shape; the array is consumed.

        Sends: its bytes, to one party.
        """
        turn = self._take_masks(label, value, among or self.parties, np.bitwise_xor)
        self._session.send(turn, label, MaskedBits(value))

    def _take_masks(self, label: str, value: NDArray[Any], among: Group, take: Callable[..., Any]) -> str:
        """Leave in `value` what is left for the party whose turn it is; which is returned."""
        turn = self._turns.next(among, value.dtype)
        for party in among:
            if party != turn:
                take(value, self.mask_of(party, label, value.shape, value.dtype), out=value)
        return turn


class _Turns:
    """Who of a group is sent the next value: the same at the dealer and at each of the group."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[Group, str]] = Counter()

    def next(self, among: Group, dtype: DTypeLike) -> str:
        kind = among, np.dtype(dtype).name
        self._taken[kind] += 1
        return among[(self._taken[kind] - 1) % len(among)]


def receive_seed(session: Session) -> Deals:
    """Party: take the seed of this job from the dealer.

    Shapes:   -> Deals.
    Rounds:   1.  Sends: nothing.
    Reveals:  to this party its own seed.
    Assumes:  the link seals the message: nobody but this party and the dealer can read it.
    Source:   design 2, "Shares, masks, and what the dealer deals".
    Raises:   UsageError, PeerTimeout, PeerError.
    """
    if session.helper is None:
        raise UsageError("this protocol needs a helper that deals random numbers", step=session.step("seed"))
    seed = session.receive_one(session.helper, "seed", (SEED_BYTES,), np.uint8)
    return Deals(session, session.helper, MaskBook(seed.tobytes()))


def deal_seeds(session: Session) -> Dealer:
    """Dealer: draw a fresh seed for every party from the operating system and send it.

    Shapes:   -> Dealer.
    Rounds:   0.  Sends: 32 bytes to each party.
    Reveals:  to each party its own seed.
    Assumes:  as `receive_seed`.
    Source:   design 2.
    Raises:   PeerError.
    """
    books = {}
    for party in session.parties:
        seed = secrets.token_bytes(SEED_BYTES)
        session.send(party, "seed", Seed(np.frombuffer(seed, dtype=np.uint8)))
        books[party] = MaskBook(seed)
    return Dealer(session, books)
