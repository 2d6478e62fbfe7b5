"""One case for each correlation: the masks that it is about, at the parties and at a dealer."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from saferoom import protocols
from saferoom.channel.session import Session
from saferoom.protocols.all_bits import BitProduct
from saferoom.protocols.comparison import DigitTables
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns, JointForm
from saferoom.protocols.leaf_sum import AdditiveBits, LeafProducts
from saferoom.protocols.lookup import TurnedTable
from saferoom.protocols.private_matrix import (
    BackwardProduct,
    ForwardProduct,
    deal_columns,
    deal_to_owners,
    mask_columns,
    open_to_owners,
    without_owners,
)
from saferoom.protocols.products import ElementProduct, MatrixProduct
from saferoom.protocols.randomness import Correlation, Group, Randomness
from saferoom.protocols.shared_bits import SharedBitProduct
from saferoom.protocols.sigmoid import SineSeries, Waves
from saferoom.protocols.squares import SquareProducts, Squares, deal_squares, mask_squares
from saferoom.protocols.truncation import TopBits, TruncationPair, WideSum
from saferoom.protocols.weighted_gram import GramBlock, ScaledBlock
from saferoom.ring.prg import Stream
from saferoom.sharing.values import Share

Words = np.ndarray[Any, Any]
Masks = Mapping[str, Any]
"""What each party drew."""


@dataclass
class Case:
    """`draw` gives what a party drew, and what it gives to `take`; `whole` is made of all that was drawn."""

    correlation: Correlation
    draw: Callable[[Session, Randomness], tuple[Any, tuple[Any, ...]]]
    whole: Callable[[Masks], tuple[Any, ...]]
    dealer: Callable[[Dealer, Session], tuple[Any, ...]]
    among: Group | None = None


def total(shares: Any) -> Words:
    """What shares come to: a sum, or for bits their xor."""
    parts = list(shares)
    return reduce(np.bitwise_xor if parts[0].dtype == np.uint8 else np.add, parts)


def of_shared_masks(correlation: Correlation, *masks: tuple[tuple[int, ...], Any]) -> Case:
    """All parties have shares of all masks, which are of these shapes and types."""
    named = [(f"mask/{number}", *mask) for number, mask in enumerate(masks)]

    def draw(_: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        own = tuple(randomness.mask(*mask) for mask in named)
        return own, own

    return Case(
        correlation,
        draw,
        lambda drawn: tuple(total(shares) for shares in zip(*drawn.values(), strict=True)),
        lambda dealer, _: tuple(dealer.mask(*mask) for mask in named),
    )


def waves(word_bits: int) -> Case:
    """With one stream to round by, at the dealer and in the check."""
    case = of_shared_masks(Waves(SineSeries(5, 3, 6, 7, word_bits=word_bits), 500), ((500,), np.uint32))
    whole, dealer = case.whole, case.dealer
    case.whole = lambda drawn: (*whole(drawn), Stream(bytes(32), "dither"))
    case.dealer = lambda d, s: (*dealer(d, s), Stream(bytes(32), "dither"))
    return case


def layout_of(names: Group, width: int) -> ColumnLayout:
    return ColumnLayout({name: width + place for place, name in enumerate(names)})


def masks_of_blocks(drawn: Masks) -> dict[str, Words]:
    """By what each party masked its block of zeros: others see the negative of it."""
    views = {party: view.blocks for party, (view, _) in drawn.items()}
    return {
        party: np.negative(next(blocks[party] for other, blocks in views.items() if other != party))
        for party in drawn
    }


def of_joint_columns(
    form: JointForm,
    correlation: Correlation,
    own_mask: Callable[[Session, Randomness], tuple[Any, Any]],
    others: Callable[[Masks], Any],
    dealt_others: Callable[[Dealer, Session], Any],
) -> Case:
    """A matrix that each party masks: one of zeros, so that what it sends tells the mask."""

    def draw(s: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        width = form.layout.widths[s.me]
        zeros = np.zeros((form.rows, width), dtype=form.dtype)
        columns = mask_columns(s, randomness, "x", form, lambda rows: zeros[rows])
        mask, operand = own_mask(s, randomness)
        return (columns, mask), (columns, operand)

    def whole(drawn: Masks) -> tuple[Any, ...]:
        masks = {party: mask for party, (_, mask) in drawn.items()}
        return JointColumns(form, masks_of_blocks(drawn)), others(masks)

    return Case(
        correlation,
        draw,
        whole,
        lambda dealer, s: (deal_columns(dealer, s, "x", form), dealt_others(dealer, s)),
    )


def forward_product(names: Group, word_bits: int) -> Case:
    form = JointForm(layout_of(names, 3), 1600, 8, word_bits)
    return of_joint_columns(
        form,
        ForwardProduct(form),
        lambda s, r: opened_zeros(s, r, form.layout, form.dtype),
        lambda masks: without_owners(form.layout, list(masks.values())).astype(form.dtype),
        lambda d, s: without_owners(form.layout, deal_to_owners(d, s, "u", form.layout)).astype(form.dtype),
    )


def opened_zeros(
    s: Session, randomness: Randomness, layout: ColumnLayout, dtype: Any = np.uint64
) -> tuple[Words, Words]:
    """The own mask of a shared vector (the own block is of no consequence), and what goes to `take`."""
    zeros = Share(np.zeros(layout.columns, dtype=np.uint64), 0)
    words = open_to_owners(s, randomness, "u", layout, zeros).words
    return words, words.astype(dtype)


def backward_product(names: Group, block_rows: int | None) -> Case:
    form = JointForm(layout_of(names, 20 if block_rows else 900), 320, 8, 32 if block_rows else 64)

    def own_mask(_: Session, randomness: Randomness) -> tuple[Words, Words]:
        mask = randomness.mask("rows", (form.rows,), form.dtype)
        return mask, mask

    return of_joint_columns(
        form,
        BackwardProduct(form, block_rows),
        own_mask,
        without_own,
        lambda dealer, _: dealer.masks_of_others("rows", (form.rows,), form.dtype),
    )


def without_own(masks: Masks) -> dict[str, Words]:
    return {party: total(mask for other, mask in masks.items() if other != party) for party in masks}


def square_products(names: Group) -> Case:
    layout = layout_of(names, 2000 // len(names))

    def draw(s: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        width = layout.widths[s.me]
        squares = mask_squares(s, randomness, "p", layout, np.zeros((width, width), dtype=np.uint64), 8)
        mask, operand = opened_zeros(s, randomness, layout)
        return (squares, mask), (squares, operand)

    def whole(drawn: Masks) -> tuple[Any, ...]:
        others = without_owners(layout, [mask for _, mask in drawn.values()])
        return Squares(layout, masks_of_blocks(drawn), 8), others

    return Case(
        SquareProducts(layout.columns),
        draw,
        whole,
        lambda d, s: (
            deal_squares(d, s, "p", layout, 8),
            without_owners(layout, deal_to_owners(d, s, "u", layout)),
        ),
    )


def of_a_block(names: Group, correlation: Correlation, mask: tuple[int, ...]) -> Case:
    """The first party's block A of 40 × 40, and a mask of which all have shares."""
    form = JointForm(ColumnLayout({name: 40 * (name == names[0]) for name in names}), 40, 8)
    case = of_joint_columns(
        form,
        correlation,
        lambda _, randomness: (randomness.mask("b", mask),) * 2,
        lambda masks: without_own(masks)[names[0]],
        lambda dealer, _: dealer.masks_of_others("b", mask)[names[0]],
    )

    def first_block(columns: JointColumns, mask: Any) -> tuple[Any, ...]:
        return columns.blocks[names[0]], mask

    def draw(s: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        drawn, operands = case.draw(s, randomness)
        return drawn, first_block(*operands)

    return Case(
        correlation,
        draw,
        lambda drawn: first_block(*case.whole(drawn)),
        lambda dealer, s: first_block(*case.dealer(dealer, s)),
    )


def bit_product(names: Group) -> Case:
    halves = names[:1], names[1:]

    def draw(s: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        mask = randomness.mask("mask", (2000,), np.uint8)
        return mask, (mask, None) if s.me in halves[0] else (None, mask)

    return Case(
        BitProduct(halves, 2000),
        draw,
        lambda drawn: tuple(total(drawn[party] for party in half) for half in halves),
        lambda dealer, _: tuple(dealer.mask("mask", (2000,), np.uint8, among=half) for half in halves),
        names,
    )


ROWS, LEAVES = 2000, 4
PACKED = (ROWS * LEAVES // 8,)


def additive_bits(names: Group) -> Case:
    """Among all but the first party, as among feature holders; with two parties among both."""
    holders = names[1:] if len(names) > 2 else names

    def draw(s: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        mask = randomness.mask("hidden", PACKED, np.uint8)
        return mask, (mask,)

    return Case(
        AdditiveBits(ROWS, LEAVES),
        draw,
        lambda drawn: (total(drawn[party] for party in holders),),
        lambda dealer, _: (dealer.mask("hidden", PACKED, np.uint8, among=holders),),
        holders,
    )


def leaf_products(names: Group) -> Case:
    """The first party has the weights' masks, the others bits."""
    holders = names[1:]

    def unpacked(bits: Words) -> Words:
        return np.unpackbits(bits).reshape(ROWS, LEAVES)

    def draw(s: Session, randomness: Randomness) -> tuple[Any, tuple[Any, ...]]:
        if s.me == names[0]:
            weights = randomness.mask("weights", (ROWS, LEAVES), np.uint32)
            return weights, (weights, None)
        mask = randomness.mask("hidden", PACKED, np.uint8)
        if len(holders) == 1:
            return mask, (None, unpacked(mask))
        return mask, (None, randomness.take("bits", AdditiveBits(ROWS, LEAVES), mask, among=holders))

    def dealer(d: Dealer, _: Session) -> tuple[Any, ...]:
        weights = d.mask_of(names[0], "weights", (ROWS, LEAVES), np.uint32)
        bits = d.mask("hidden", PACKED, np.uint8, among=holders)
        if len(holders) > 1:
            d.deal("bits", AdditiveBits(ROWS, LEAVES), bits, among=holders)
        return weights, unpacked(bits)

    return Case(
        LeafProducts(names[0], ROWS),
        draw,
        lambda drawn: (drawn[names[0]], unpacked(total(drawn[party] for party in holders))),
        dealer,
    )


TABLE = np.arange(32, dtype=np.uint64).reshape(16, 2)

CASES: dict[str, Callable[[Group], Case]] = {
    "truncation": lambda _: of_shared_masks(TruncationPair((40, 20), 17), ((40, 20), np.uint64)),
    "top bits": lambda _: of_shared_masks(TopBits((40, 40)), ((40, 40), np.uint32)),
    "wide sum": lambda _: of_shared_masks(WideSum((7, 1600)), ((7, 1600), np.uint32)),
    "matrix product": lambda _: of_shared_masks(
        MatrixProduct(40, 50), ((40, 9), np.uint64), ((9, 50), np.uint64)
    ),
    "element product": lambda _: of_shared_masks(
        ElementProduct((8, 9, 30)), ((8, 9, 30), np.uint64), ((8, 9, 30), np.uint64)
    ),
    "waves": lambda _: waves(64),
    "narrow waves": lambda _: waves(32),
    "turned table": lambda _: of_shared_masks(TurnedTable(100, TABLE), ((100,), np.uint32)),
    "forward product": lambda names: forward_product(names, 64),
    "narrow forward product": lambda names: forward_product(names, 32),
    "backward product": lambda names: backward_product(names, None),
    "backward product by blocks": lambda names: backward_product(names, 6),
    "square products": square_products,
    "scaled block": lambda names: of_a_block(names, ScaledBlock(names[0], 40, 40), (40,)),
    "gram block": lambda names: of_a_block(names, GramBlock(names[0], 40, 50, 64), (40, 50)),
    "bit product": bit_product,
    "shared bit product": lambda _: of_shared_masks(
        SharedBitProduct((3, 700)), ((3, 700), np.uint8), ((3, 700), np.uint8)
    ),
    "digit tables": lambda _: of_shared_masks(DigitTables(500), ((500,), np.uint32)),
    "additive bits": additive_bits,
    "leaf products": leaf_products,
}


def every_correlation() -> set[type[Correlation]]:
    """All classes of correlations in the room `protocols`."""
    modules = [
        importlib.import_module(f"{protocols.__name__}.{found.name}")
        for found in pkgutil.iter_modules(protocols.__path__)
    ]
    classes = {one for module in modules for _, one in inspect.getmembers(module, inspect.isclass)}
    return {one for one in classes if issubclass(one, Correlation)} - {Correlation}
