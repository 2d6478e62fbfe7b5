"""What the dealer deals, and how little of it has to travel.

Each party and the dealer expand the same masks from a seed that only those two know. Two kinds of gift:

    mask     every party holds a uniform share; the dealer knows all of them, so it knows their sum.
             Nothing travels.
    share    the dealer computes a value from masks; all parties but one take mask words as their share, and
             the remaining one, by turns, is sent `value - sum of the others`: it is uniform to it.

The dealer only sends: it never waits for a party, and learns nothing but public sizes.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saferoom.channel.session import Session
from saferoom.errors import UsageError
from saferoom.ring.prg import SEED_BYTES, Stream
from saferoom.sharing.masks import MaskBook
from saferoom.sharing.values import Masked, Seed, Words


class Deals:
    """The party's end. Steps must come in the same order as at the dealer."""

    def __init__(self, session: Session, helper: str, book: MaskBook) -> None:
        self._session = session
        self._helper = helper
        self._book = book
        self._turn = 0

    def mask(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """This party's share of a uniform mask that the dealer knows. Local."""
        return self._book.spend(self._session.step(label), shape, dtype)

    def share(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """This party's share of a value that the dealer computes; received if it is this party's turn."""
        parties = self._session.parties
        mine = parties[self._turn % len(parties)] == self._session.me
        self._turn += 1
        if mine:
            return self._session.receive_one(self._helper, label, shape, dtype)
        return self._book.spend(self._session.step(label), shape, dtype)


class Dealer:
    """The dealer's end."""

    def __init__(self, session: Session, books: dict[str, MaskBook]) -> None:
        self._session = session
        self._books = books
        self._turn = 0

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

    def share(self, label: str, value: NDArray[Any]) -> None:
        """Deal `value` (uint64 or uint32, any shape); the array is consumed.

        Sends: its bytes, to one party.
        """
        turn = self.parties[self._turn % len(self.parties)]
        self._turn += 1
        for party in self.parties:
            if party != turn:
                value -= self.mask_of(party, label, value.shape, value.dtype)
        self._session.send(turn, label, Masked(value, 0))


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
