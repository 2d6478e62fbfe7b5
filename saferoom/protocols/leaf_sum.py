"""The sum of the weights of the leaves that each row reaches: the joint score of boosted trees.

Every party knows, for each row and leaf, whether its own splits allow that the row gets there. The leaf that
all of them allow is the one the row reaches; nobody learns which it is.

    z = whether all feature holders allow the leaf: bits that they share by xor          (`all_bits`)
    v = its weight if the label holder allows it, or else 0: words that it alone knows

    feature holders    d = z ⊕ β        to the label holder                                    hidden
    label holder       e = ±v + u       to the feature holders; the sign is - where d is set   weights
    v·z = v·d ± v·β = v·d + e·β − u·β

β are bits of which every feature holder has an xor share; their additive shares are dealt, unless there is
one feature holder, which then knows β. Of u·β only the sum over a row is needed, so the dealer deals one
word a row. The sum over leaves is local, and of each row one word is revealed, rounded by chance to a public
step (`rounded_release`): an exact sum would name the leaves that it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import U32, Bits
from saferoom.channel.session import Session
from saferoom.errors import PeerError, ShapeError, UsageError
from saferoom.protocols.all_bits import deal_all, share_all
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.leaf_terms import LeafTerms, unpacked_bits
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.protocols.rounded_release import release_rounded
from saferoom.sharing.values import Masked, MaskedBits, Public, Share

WEIGHT_FRAC_BITS = 22

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


@dataclass(frozen=True, slots=True)
class AdditiveBits(Correlation):
    """Bits β as words modulo 2**32: (rows, leaves), 0 or 1.

    Mask: β, packed, shared by xor. A party gives its share of it.
    """

    rows: int
    leaves: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows, self.leaves

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint32)

    def value(self, bits: Bits) -> U32:
        return unpacked_bits(bits, self.rows, self.leaves).astype(np.uint32)


@dataclass(frozen=True, slots=True)
class LeafProducts(Correlation):
    """Σ over leaves of u·β, modulo 2**32: (rows,).

    Masks: u (rows, leaves) uint32, the label holder's alone; β (rows, leaves), 0 or 1.
    The label holder gives u, a feature holder its share of the words of β.
    """

    label_holder: str
    rows: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows,)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint32)

    def value(self, masks: U32, bits: Bits) -> U32:
        return np.asarray(np.einsum("ij,ij->i", masks, bits, dtype=np.uint32))


class Reached(Protocol):
    """Bits (rows, leaves): an array, or what makes those of some rows when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


def leaf_sum(
    s: Session,
    randomness: Randomness,
    reached: Reached,
    *,
    label_holder: str,
    recipient: str,
    step: float,
    weights: NDArray[np.int64] | None,
    base_margin: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float64] | None:
    """Of each row, the sum of the weights of the leaves that all parties allow, at `recipient`; else None.

    `weights` are given at the label holder alone, and `base_margin`, if anything is to be added that it knows
    by itself. `reached` is read in steps of rows, each once.

    Shapes:   reached (rows, leaves) bool; weights (leaves,), base_margin (rows,), integers with 22 fractional
              bits -> (rows,), multiples of `step`, a power of two. Each of them, and each sum, as an integer
              in [-2**31, 2**31) (sums are modulo 2**32).
    Rounds:   with m feature holders and c steps (8736 rows of 240 leaves make one), at most
              1 + c·(1 + ⌈log2 m⌉) at a feature holder, 1 + c at the label holder; one more where m > 1.
    Sends:    feature holder: rows·leaves / 8 bytes to the label holder, and as much to each other feature
              holder in every step of `share_all` that they take together; label holder: 4·rows·leaves bytes
              to each feature holder; everybody but the recipient: 4·rows bytes to it; and 24 to all,
              32 a party more where m > 1.
    Reveals:  to `recipient`, `score`: the sums, rounded by chance, as `release_rounded`.
    Assumes:  semi-honest; the dealer colludes with no party. Any number of parties may collude.
    Source:   the module's text; multiplication by a masked bit: Demmler, Schneider, Zohner 2015 (ABY), §III.
    Raises:   UsageError, ShapeError, MaskReuseError, PeerError (other rows, leaves, or messages than ours),
              PeerTimeout, StepMismatchError.
    """
    if len(reached.shape) != 2:
        raise ShapeError("the leaves that a party allows are a table of rows and leaves", party=s.me)
    terms = LeafTerms.of(s, reached.shape[0], reached.shape[1], label_holder)
    table, base = _checked(s, terms, recipient, weights, base_margin)
    with s.scope("leaf sum"):
        _compare_sizes(s, terms)
        share = np.empty(terms.rows, dtype=np.uint32)
        steps = (
            _at_feature_holder(s, randomness, terms, reached)
            if table is None
            else _at_label_holder(s, randomness, terms, reached, table)
        )
        for chunk, part in steps:
            share[chunk] = part
            if progress is not None:
                progress(chunk.stop, terms.rows)
        if base is not None:
            share += base
        whole = Share(share, WEIGHT_FRAC_BITS)
        return release_rounded(s, "sums", whole, recipient, step=step, kind="score")


def deal_leaf_sum(dealer: Dealer, s: Session, rows: int, leaves: int, label_holder: str) -> None:
    """Dealer's side of `leaf_sum`.

    Shapes:   as `leaf_sum`.
    Rounds:   0.
    Sends:    4·rows bytes; with m > 1 feature holders also 4·rows·leaves, and (m-1)·rows·leaves / 8; each
              message to one party, by turns. 24 to all.
    Reveals:  nothing; the helper knows the sizes.
    Assumes:  as `leaf_sum`.
    Source:   as `leaf_sum`.
    Raises:   UsageError, MaskReuseError, PeerError, PeerTimeout.
    """
    terms = LeafTerms.of(s, rows, leaves, label_holder)
    holders = terms.feature_holders
    with s.scope("leaf sum"):
        for party in s.parties:
            s.send(party, "sizes", Public(terms.sizes(s)))
        masks: dict[int, Bits] = {}
        for hide, weigh in _one_ahead(terms.chunks()):
            if hide is not None:
                with s.scope(_name(hide)):
                    deal_all(dealer, s, "leaves", terms.size_bytes(hide), holders)
                    size = (terms.size_bytes(hide),)
                    masks[hide.start] = dealer.mask("hidden", size, np.uint8, among=holders)
            if weigh is not None:
                with s.scope(_name(weigh)):
                    _deal_products(dealer, terms, weigh, masks.pop(weigh.start))


def _at_feature_holder(
    s: Session, randomness: Randomness, terms: LeafTerms, reached: Reached
) -> Iterator[tuple[slice, U32]]:
    """Shares of the sums. The bits of a chunk are hidden before the weights of the one before are taken in,
    so that label holder and feature holders work at the same time."""
    masks: dict[int, Bits] = {}
    for hide, weigh in _one_ahead(terms.chunks()):
        if hide is not None:
            with s.scope(_name(hide)):
                bits = np.packbits(_rows_of(s, terms, reached, hide))
                allowed = share_all(s, randomness, "leaves", bits, terms.feature_holders)
                mask: Bits = randomness.mask("hidden", bits.shape, np.uint8)
                s.send(terms.label_holder, "hidden", MaskedBits(allowed ^ mask))
                masks[hide.start] = mask
        if weigh is not None:
            with s.scope(_name(weigh)):
                factor = _additive(randomness, terms, weigh, masks.pop(weigh.start))
                product = randomness.take("product", _products(terms, weigh), None, factor)
                masked = s.hear_one(terms.label_holder, "weights", terms.shape(weigh), np.uint32)
            yield weigh, np.einsum("ij,ij->i", masked, factor, dtype=np.uint32) - product


def _at_label_holder(
    s: Session, randomness: Randomness, terms: LeafTerms, reached: Reached, weights: U32
) -> Iterator[tuple[slice, U32]]:
    """Shares of the sums."""
    for chunk in terms.chunks():
        own = _rows_of(s, terms, reached, chunk)
        with s.scope(_name(chunk)):
            size = (terms.size_bytes(chunk),)
            shown = [s.receive_one(peer, "hidden", size, np.uint8) for peer in terms.feature_holders]
            hidden = terms.unpack(reduce(np.bitwise_xor, shown), chunk).view(np.int8)
            masked = randomness.mask("weights", own.shape, np.uint32)
            product = randomness.take("product", _products(terms, chunk), masked, None)
            signs = own.view(np.int8) * (1 - 2 * hidden)
            masked += (weights.view(np.int32) * signs).view(np.uint32)
            s.broadcast("weights", Masked(masked, WEIGHT_FRAC_BITS))
        known = np.einsum("ij,j->i", own & hidden.view(np.bool_), weights, dtype=np.uint32)
        yield chunk, known - product


def _additive(randomness: Randomness, terms: LeafTerms, chunk: slice, mask: Bits) -> NDArray[Any]:
    """This feature holder's additive share of the bits by which the chunk is hidden."""
    if len(terms.feature_holders) == 1:
        return terms.unpack(mask, chunk)
    return randomness.take("bits", AdditiveBits(*terms.shape(chunk)), mask, among=terms.feature_holders)


def _deal_products(dealer: Dealer, terms: LeafTerms, chunk: slice, mask: Bits) -> None:
    shape = terms.shape(chunk)
    masks = dealer.mask_of(terms.label_holder, "weights", shape, np.uint32)
    if len(terms.feature_holders) > 1:
        dealer.deal("bits", AdditiveBits(*shape), mask, among=terms.feature_holders)
    dealer.deal("product", _products(terms, chunk), masks, terms.unpack(mask, chunk))


def _products(terms: LeafTerms, chunk: slice) -> LeafProducts:
    return LeafProducts(terms.label_holder, chunk.stop - chunk.start)


def _one_ahead(chunks: list[slice]) -> Iterator[tuple[slice | None, slice | None]]:
    """The order of steps at feature holders and dealer: the next chunk to hide, the one to weigh."""
    return zip([*chunks, None], [None, *chunks], strict=True)


def _name(chunk: slice) -> str:
    return f"row={chunk.start}"


def _rows_of(s: Session, terms: LeafTerms, reached: Reached, chunk: slice) -> NDArray[np.bool_]:
    rows = np.ascontiguousarray(reached[chunk])
    if rows.dtype != np.bool_ or rows.shape != terms.shape(chunk):
        raise ShapeError(
            "the leaves that a party allows are bits, of all rows and leaves", party=s.me, step=s.step("own")
        )
    return rows


def _compare_sizes(s: Session, terms: LeafTerms) -> None:
    """Ends that summed different rows would make noise of the results without noticing."""
    sizes = terms.sizes(s)
    s.broadcast("sizes", Public(sizes))
    for sender in s.others:
        hear = s.hear_one if sender in s.peers else s.receive_one
        if not np.array_equal(hear(sender, "sizes", sizes.shape, np.uint64), sizes):
            raise PeerError(
                "it sums other rows, or other leaves, than we do, or another party's weights",
                party=sender,
                step=s.step("sizes"),
                remedy="check that all nodes use the same model and the same list of enterprises",
            )


def _checked(
    s: Session,
    terms: LeafTerms,
    recipient: str,
    weights: NDArray[np.int64] | None,
    base_margin: NDArray[np.int64] | None,
) -> tuple[U32 | None, U32 | None]:
    """Weights and base margin as words."""
    if recipient not in s.parties:
        raise UsageError("the recipient is no party of this session", party=recipient)
    if (weights is not None) != (s.me == terms.label_holder):
        raise UsageError("weights are given at the label holder and nowhere else", party=s.me)
    if weights is None:
        if base_margin is not None:
            raise UsageError("a base margin is given at the label holder and nowhere else", party=s.me)
        return None, None
    base = None if base_margin is None else _words(s, "base margins", base_margin, terms.rows)
    return _words(s, "weights", weights, terms.leaves), base


def _words(s: Session, what: str, integers: NDArray[np.int64], count: int) -> U32:
    if integers.shape != (count,) or integers.dtype != np.int64:
        raise ShapeError(f"{what} are {count} 64-bit integers", party=s.me)
    if ((integers < -(2**31)) | (integers >= 2**31)).any():
        raise UsageError(f"{what} do not fit 32 bits", party=s.me, remedy="check the model's file")
    return integers.astype(np.uint32)
