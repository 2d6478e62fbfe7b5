"""Which features cost each enterprise most points, over all parties; the recipient learns codes, in order.

    own, per row          the `most` features that cost most: costs (capped at 255) and codes
    compare               every candidate of one party with every candidate of another: one lookup each
    rank                  own place + how many of the others' candidates cost more        on shares
    choose                Σ over candidates of [rank = place] · code, for each place < most   on shares
    reveal                the codes, to the recipient alone

Nobody learns a cost, nor whose feature came where; the recipient alone learns the codes of the first `most`.
Of equal costs the earlier party's comes first. Codes are numbers that each owner gives: 0 for none, and one
for all features whose names their owners do not publish. What is dealt is large, 2 KB a comparison: for some
hundreds of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import I64
from saferoom.channel.session import Session
from saferoom.errors import PeerError, ShapeError
from saferoom.protocols.dealing import Dealer, deal_seeds, receive_seed
from saferoom.protocols.lookup import deal_lookup, open_lookup
from saferoom.protocols.products import deal_factor, deal_multiply_each, multiply_each, open_factor
from saferoom.protocols.randomness import Randomness
from saferoom.sharing.values import Public, Share

HIGHEST_COST = 255
NO_CODE, UNPUBLISHED, FIRST_CODE = 0, 1, 2
CODES_A_PARTY = 10_000
MOST_ROWS = 2_000
CHUNK_ROWS = 128

_COST_BITS = 9  # differences of costs, with their sign


def costliest(lost: I64, codes: I64, most: int) -> tuple[I64, I64]:
    """The own candidates: lost points (n, d), the features' codes (d,) -> costs and codes (n, most).

    Costs fall from left to right. A feature that costs nothing is no reason: its code is NO_CODE.
    """
    costs, named = np.zeros((len(lost), most), dtype=np.int64), np.zeros((len(lost), most), dtype=np.int64)
    order = np.argsort(-lost, axis=1, kind="stable")[:, :most]
    found = np.minimum(np.take_along_axis(lost, order, axis=1), HIGHEST_COST)
    costs[:, : order.shape[1]] = found
    named[:, : order.shape[1]] = np.where(found > 0, codes[order], NO_CODE)
    return costs, named


def rank_reasons(session: Session, costs: I64, codes: I64, recipient: str) -> I64 | None:
    """The codes of the costliest features of all parties, costliest first, at `recipient`; None elsewhere.

    costs, codes: (n, most) of `costliest` -> (n, most). The helper calls `deal_reasons`.
    Discloses "reason_codes" to the recipient.
    Raises ShapeError, PeerError for peers that bring other rows.
    """
    if costs.shape != codes.shape or costs.ndim != 2 or (costs.size and costs.max() > HIGHEST_COST):
        raise ShapeError("costs and codes are tables of one shape, costs at most 255")
    _agree(session, costs.shape)
    randomness, found = receive_seed(session), []
    for number, chunk in enumerate(_chunks(len(costs))):
        with session.scope(f"rows={number}"):
            chosen = _choose(session, randomness, costs[chunk], codes[chunk])
            found.append(chosen.value)
    words = np.concatenate(found) if found else np.zeros((0, costs.shape[1]), dtype=np.uint64)
    shown = session.reveal("codes", recipient, Share(words.ravel(), 0), kind="reason_codes")
    return None if shown is None else shown.astype(np.int64).reshape(costs.shape)


def deal_reasons(session: Session) -> None:
    """The helper's side of `rank_reasons`: it learns sizes only."""
    rows, most = _hear_shape(session)
    dealer = deal_seeds(session)
    for number, chunk in enumerate(_chunks(rows)):
        with session.scope(f"rows={number}"):
            _deal_choice(dealer, session, chunk.stop - chunk.start, most)


def _choose(session: Session, randomness: Randomness, costs: I64, codes: I64) -> Share:
    """Shares (n, most) of the codes in order, from own costs and codes (n, most)."""
    rows, most = costs.shape
    parties = session.parties
    beats = open_lookup(session, randomness, "compare", _differences(session, costs), _signs())
    ranks = _ranks(session, beats.value.reshape(-1, rows, most, most), most)
    places = open_lookup(session, randomness, "rank", Share(ranks.ravel(), 0), _places(len(parties), most))
    names = np.zeros((len(parties), rows, most, most), dtype=np.uint64)
    names[parties.index(session.me)] = codes.astype(np.uint64)[:, :, None]
    left = open_factor(session, randomness, "places", Share(places.value.reshape(names.shape), 0))
    right = open_factor(session, randomness, "names", Share(names, 0))
    product = multiply_each(session, randomness, "chosen", left, right)
    return Share(product.value.sum(axis=(0, 2), dtype=np.uint64), 0)


def _deal_choice(dealer: Dealer, session: Session, rows: int, most: int) -> None:
    parties = len(dealer.parties)
    pairs = parties * (parties - 1) // 2
    deal_lookup(dealer, session, "compare", pairs * rows * most * most, _signs())
    deal_lookup(dealer, session, "rank", parties * rows * most, _places(parties, most))
    shape = (parties, rows, most, most)
    left = deal_factor(dealer, session, "places", shape)
    right = deal_factor(dealer, session, "names", shape)
    deal_multiply_each(dealer, session, "chosen", left, right)


def _differences(session: Session, costs: I64) -> Share:
    """Own shares of earlier minus later party's costs: (pairs, n, most, most), flat."""
    own, parts = costs.astype(np.uint32), []
    for first, second in combinations(session.parties, 2):
        part = np.zeros((*costs.shape, costs.shape[1]), dtype=np.uint32)
        if session.me == first:
            part += own[:, :, None]
        if session.me == second:
            part -= own[:, None, :]
        parts.append(part)
    return Share(np.stack(parts).ravel(), 0)


def _ranks(session: Session, beats: NDArray[np.uint32], most: int) -> NDArray[np.uint32]:
    """Shares (parties, n, most) of each candidate's rank, from those of who costs at least as much."""
    parties, rows = session.parties, beats.shape[1]
    ranks = np.zeros((len(parties), rows, most), dtype=np.uint32)
    if session.is_first:
        ranks += np.arange(most, dtype=np.uint32)
    for pair, (first, second) in enumerate(combinations(range(len(parties)), 2)):
        ranks[second] += beats[pair].sum(axis=1, dtype=np.uint32)
        ranks[first] -= beats[pair].sum(axis=2, dtype=np.uint32)
        if session.is_first:
            ranks[first] += np.uint32(most)
    return ranks


def _signs() -> NDArray[np.uint32]:
    """1 for a difference of 0 and more, 0 for one below."""
    size = 1 << _COST_BITS
    return (np.arange(size) < size // 2).astype(np.uint32)[:, None]


def _places(parties: int, most: int) -> NDArray[np.uint64]:
    """For each rank the unit vector of its place among the first `most`; zeros for later ones."""
    size = 1 << max(1, (parties * most - 1).bit_length())
    return np.eye(size, most, dtype=np.uint64)


def _chunks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, min(start + CHUNK_ROWS, rows))


def _agree(session: Session, shape: tuple[int, ...]) -> None:
    """Tell everybody, the helper too, how many rows and reasons; hear the same."""
    size = np.array(shape, dtype=np.int64)
    session.broadcast("sizes", Public(size))
    for helper in session.helpers:
        session.send(helper, "sizes", Public(size))
    for peer in session.peers:
        if not np.array_equal(session.hear_one(peer, "sizes", (2,), np.int64), size):
            raise PeerError(
                "it ranks other rows, or another number of reasons", party=peer, step=session.step("sizes")
            )


def _hear_shape(session: Session) -> tuple[int, int]:
    shapes = [session.receive_one(party, "sizes", (2,), np.int64) for party in session.parties]
    if any(not np.array_equal(shape, shapes[0]) for shape in shapes):
        raise PeerError("parties that do not rank the same rows", step=session.step("sizes"))
    rows, most = (int(one) for one in shapes[0])
    if not (0 <= rows <= MOST_ROWS and 1 <= most <= 16):
        raise PeerError("more rows, or reasons, than are ranked at once", step=session.step("sizes"))
    return rows, most
