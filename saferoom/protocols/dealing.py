"""Randomness of assisted mode: what the dealer deals, and how little of it has to travel.

Each party and the dealer expand the same masks from a seed that only those two know, mixed with a fresh
nonce of every party: a seed that was dealt before gives other masks.

    mask   every party takes words from its seed, and the dealer knows them all. Nothing travels.
    take   the dealer computes a correlation's value from whole masks. All parties but one take words from
           their seeds as their shares; the remaining one, by turns, is sent `value - sum of the others`:
           uniform to it.

A value may be shared `among` some of the parties only. Bits are shared packed, with `xor` in the place of
sums. Each group of parties takes turns of its own for each type of words, so that the load is even.

The dealer waits for nothing but word that a pass is done, and learns nothing but public sizes.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saferoom.arrays import Words
from saferoom.channel.session import Session
from saferoom.errors import PeerError, UsageError
from saferoom.protocols.randomness import Correlation, Group
from saferoom.ring.prg import SEED_BYTES, Stream, mixed_seed
from saferoom.sharing.masks import MaskBook
from saferoom.sharing.values import Masked, MaskedBits, Public, Seed

PASSES_AHEAD = 2
"""So many passes are dealt at most before the parties have done them."""


class DealtByHelper:
    """The party's end: `Randomness` from a seed that the dealer has too, and from what it sends."""

    def __init__(self, session: Session, helper: str, book: MaskBook) -> None:
        self._session = session
        self._helper = helper
        self._book = book
        self._turns = _Turns()

    def mask(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """This party's share of a uniform mask that the dealer knows. Local."""
        return self._book.spend(self._session.step(label), shape, dtype)

    def take(self, label: str, correlation: Correlation, *operands: Any, among: Group | None = None) -> Words:
        """This party's share: received if it is this party's turn. The dealer has the operands already."""
        shape, dtype, step = correlation.shape, correlation.dtype, self._session.step(label)
        if self._turns.next(among or self._session.parties, dtype) != self._session.me:
            return self._book.spend(step, shape, dtype)
        self._book.retire(step)
        return self._session.receive_one(self._helper, label, shape, dtype)

    def tell_pass(self) -> None:
        """The first party tells the dealer, which so never runs far ahead."""
        if self._session.is_first:
            self._session.send(self._helper, "pace", Public(np.zeros(0, dtype=np.uint8)))


class Dealer:
    """The dealer's end. Steps come in the same order as at the parties."""

    def __init__(self, session: Session, books: dict[str, MaskBook]) -> None:
        self._session = session
        self._books = books
        self._turns = _Turns()

    @property
    def parties(self) -> tuple[str, ...]:
        return self._session.parties

    def mask_of(self, party: str, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """One party's share of a mask."""
        return self._books[party].spend(self._session.step(label), shape, dtype)

    def masks(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> list[Words]:
        """All parties' shares of a mask, in the public order of the parties."""
        return [self.mask_of(party, label, shape, dtype) for party in self.parties]

    def mask(
        self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64, among: Group | None = None
    ) -> Words:
        """The whole mask of which all parties, or those `among`, hold shares."""
        return _whole(self.mask_of(party, label, shape, dtype) for party in among or self.parties)

    def masks_of_others(
        self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64
    ) -> dict[str, Words]:
        """For each party what the other parties' shares of a mask add up to."""
        shares = self.masks(label, shape, dtype)
        total = _whole([shares[0].copy(), *shares[1:]])
        pairs = zip(self.parties, shares, strict=True)
        return {party: np.subtract(total, share, out=share) for party, share in pairs}

    def private_stream(self) -> Stream:
        """Fresh randomness that the dealer alone knows, for rounding."""
        return Stream(secrets.token_bytes(SEED_BYTES), "private")

    def deal(self, label: str, correlation: Correlation, *masks: Any, among: Group | None = None) -> None:
        """Deal shares of the correlation's value, made of whole masks.

        Sends:    its bytes, to one party.
        Raises:   MaskReuseError for a label that was used before, PeerError.
        """
        value, group = correlation.value(*masks), among or self.parties
        turn = self._turns.next(group, value.dtype)
        take_off = np.bitwise_xor if value.dtype == np.uint8 else np.subtract
        for party in group:
            if party == turn:
                self._books[party].retire(self._session.step(label))
            else:
                take_off(value, self.mask_of(party, label, value.shape, value.dtype), out=value)
        rest = MaskedBits(value) if value.dtype == np.uint8 else Masked(value, 0)
        self._session.send(turn, label, rest)


class DealingPace:
    """The dealer's side of `tell_pass`: bounds what it has sent in advance, and how long it ever waits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ahead = 0

    def wait(self) -> None:
        """Before dealing a pass: wait until at most PASSES_AHEAD are dealt and not done."""
        while self._ahead >= PASSES_AHEAD:
            self._hear()
        self._ahead += 1

    def finish(self) -> None:
        """Wait until all dealt passes are done."""
        while self._ahead:
            self._hear()

    def _hear(self) -> None:
        self._session.receive_one(self._session.parties[0], "pace", (0,), np.uint8)
        self._ahead -= 1


class _Turns:
    """Who of a group is sent the next value: the same at the dealer and at each of the group."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[Group, str]] = Counter()

    def next(self, among: Group, dtype: DTypeLike) -> str:
        kind = among, np.dtype(dtype).name
        self._taken[kind] += 1
        return among[(self._taken[kind] - 1) % len(among)]


def _whole(shares: Iterable[Words]) -> Words:
    """What shares come to; the first of them is overwritten."""
    rest = iter(shares)
    total = next(rest)
    put_together = np.bitwise_xor if total.dtype == np.uint8 else np.add
    for share in rest:
        put_together(total, share, out=total)
    return total


def receive_seed(session: Session) -> DealtByHelper:
    """Party: take a seed from the dealer, and mix it with a fresh nonce of every party.

    Two values under one mask give away their difference. Whatever the dealer and the other parties do, what
    this party draws is new, because its own nonce is.

    Shapes:   -> the party's `Randomness`.
    Rounds:   1.  Sends: 32 bytes to each other party and to the dealer.
    Reveals:  to this party its own seed.
    Assumes:  the link seals the message: nobody but this party and the dealer can read it.
    Source:   Beaver 1997 (Commodity-based cryptography); shares expanded from seeds: Riazi et al. 2018
              (Chameleon). docs/protocols/randomness.md.
    Raises:   UsageError, PeerTimeout, PeerError (also where the dealer has a nonce that we have not).
    """
    helper, step = session.helper, session.step("seed")
    if helper is None:
        raise UsageError("this protocol needs a helper that deals random numbers", step=step)
    own = np.frombuffer(secrets.token_bytes(SEED_BYTES), dtype=np.uint8)
    session.broadcast("nonce", Public(own))
    session.send(helper, "nonce", Public(own))
    nonces = np.stack([own if party == session.me else _nonce(session, party) for party in session.parties])
    tensors = session.receive(helper, "seed")
    if [(t.dtype.name, t.shape) for t in tensors] != [("uint8", (SEED_BYTES,)), ("uint8", nonces.shape)]:
        raise PeerError("expected a seed and the nonces it is mixed with", party=helper, step=step)
    for party, is_other in zip(session.parties, np.any(tensors[1] != nonces, axis=1), strict=True):
        if is_other:
            raise PeerError(
                f"the nonce of {party} is another at the dealer than here: one of the two does not follow "
                "the protocol",
                party=helper if party == session.me else party,
                step=step,
            )
    return DealtByHelper(session, helper, MaskBook(mixed_seed(tensors[0].tobytes(), nonces)))


def deal_seeds(session: Session) -> Dealer:
    """Dealer: draw a fresh seed for every party from the operating system, and mix it with all nonces.

    Shapes:   -> Dealer.
    Rounds:   0.  Sends: 32 bytes to each party, and 32 for each party that there is.
    Reveals:  to each party its own seed.
    Assumes:  as `receive_seed`.
    Source:   as `receive_seed`.
    Raises:   PeerTimeout, PeerError.
    """
    nonces, books = np.stack([_nonce(session, party) for party in session.parties]), {}
    for party in session.parties:
        seed = secrets.token_bytes(SEED_BYTES)
        session.send(party, "seed", Seed(np.frombuffer(seed, dtype=np.uint8)), Public(nonces))
        books[party] = MaskBook(mixed_seed(seed, nonces))
    return Dealer(session, books)


def _nonce(session: Session, party: str) -> NDArray[np.uint8]:
    return session.hear_one(party, "nonce", (SEED_BYTES,), np.uint8)
