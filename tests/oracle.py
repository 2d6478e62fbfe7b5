"""Randomness without a helper, for tests: an oracle in memory that sees only what parties hand to `take`.

It stands in for a provider that makes correlations between the parties. If its shares are right, the operands
of every `take` are enough to make them of.
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np

from saferoom.channel.session import Session
from saferoom.errors import MaskReuseError
from saferoom.protocols.all_bits import BitProduct
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns
from saferoom.protocols.leaf_sum import LeafProducts
from saferoom.protocols.private_matrix import BackwardProduct, ForwardProduct
from saferoom.protocols.randomness import Correlation, Group
from saferoom.protocols.sigmoid import Waves
from saferoom.protocols.squares import SquareProducts, Squares
from saferoom.protocols.weighted_gram import GramBlock, ScaledBlock
from saferoom.ring.prg import SEED_BYTES, Stream
from saferoom.sharing.masks import MaskBook
from tests.correlation_cases import Words, total, without_own

Operands = Mapping[str, tuple[Any, ...]]
"""What each party handed over."""


class Oracle:
    """Waits until all of a group ask for the same; then gives each its share."""

    def __init__(self, timeout_s: float = 60.0) -> None:
        self._asked: dict[tuple[str, Group], dict[str, tuple[Any, ...]]] = defaultdict(dict)
        self._shares: dict[tuple[str, Group], dict[str, Words]] = {}
        self._news = threading.Condition()
        self._timeout_s = timeout_s

    def end(self, session: Session) -> OracleRandomness:
        """A party's end."""
        return OracleRandomness(self, session)

    def take(self, me: str, label: str, correlation: Correlation, operands: Any, group: Group) -> Words:
        what = label, group
        with self._news:
            asked = self._asked[what]
            if me in asked:
                raise MaskReuseError("taken before", step=label)
            asked[me] = operands
            if asked.keys() == set(group):
                masks = whole(correlation, {party: asked[party] for party in group})
                self._shares[what] = split(correlation.value(*masks), group)
                self._news.notify_all()
            assert self._news.wait_for(lambda: what in self._shares, self._timeout_s), label
            return self._shares[what][me]


class OracleRandomness:
    """`Randomness` from masks that this party alone knows, and from the oracle."""

    def __init__(self, oracle: Oracle, session: Session) -> None:
        self._oracle, self._session = oracle, session
        self._book = MaskBook(secrets.token_bytes(SEED_BYTES))

    def mask(self, label: str, shape: tuple[int, ...], dtype: Any = np.uint64) -> Words:
        return self._book.spend(self._session.step(label), shape, dtype)

    def take(self, label: str, correlation: Correlation, *operands: Any, among: Group | None = None) -> Words:
        group = among or self._session.parties
        return self._oracle.take(self._session.me, self._session.step(label), correlation, operands, group)

    def tell_pass(self) -> None:
        """The oracle does not work ahead."""


def split(value: Words, group: Group) -> dict[str, Words]:
    """Uniform shares of a value."""
    stream, less = Stream(secrets.token_bytes(SEED_BYTES), "split"), value.copy()
    shares = {party: stream.words(value.shape, value.dtype) for party in group[1:]}
    for share in shares.values():
        (np.bitwise_xor if value.dtype == np.uint8 else np.subtract)(less, share, out=less)
    return {group[0]: less, **shares}


@singledispatch
def whole(_: Correlation, operands: Operands) -> tuple[Any, ...]:
    """The whole masks, if all parties have shares of all of them."""
    return tuple(total(shares) for shares in zip(*operands.values(), strict=True))


@whole.register
def _(_: Waves, operands: Operands) -> tuple[Any, ...]:
    (turns,) = zip(*operands.values(), strict=True)
    return total(turns), Stream(secrets.token_bytes(SEED_BYTES), "dither")


def difference(blocks: Mapping[str, Words], owner: str) -> Words:
    """A mask A: the owner has X, all others X - A."""
    return blocks[owner] - next(block for party, block in blocks.items() if party != owner)


def masks_of_owners(views: Mapping[str, Any]) -> dict[str, Words]:
    return {owner: difference({p: view.blocks[owner] for p, view in views.items()}, owner) for owner in views}


def column(operands: Operands, place: int) -> dict[str, Any]:
    return {party: own[place] for party, own in operands.items()}


def blockwise_others(vectors: Mapping[str, Words], layout: ColumnLayout) -> Words:
    """What all but the owners hold of each block of a vector."""
    parts = [vector.copy() for vector in vectors.values()]
    for party, part in zip(vectors, parts, strict=True):
        part[layout.span(party)] = 0
    return total(parts)


@whole.register
def _(product: ForwardProduct, operands: Operands) -> tuple[Any, ...]:
    columns = JointColumns(product.form, masks_of_owners(column(operands, 0)))
    return columns, blockwise_others(column(operands, 1), product.form.layout)


@whole.register
def _(product: BackwardProduct, operands: Operands) -> tuple[Any, ...]:
    columns = JointColumns(product.form, masks_of_owners(column(operands, 0)))
    return columns, without_own(column(operands, 1))


@whole.register
def _(_: SquareProducts, operands: Operands) -> tuple[Any, ...]:
    views: dict[str, Squares] = column(operands, 0)
    first = next(iter(views.values()))
    masks = Squares(first.layout, masks_of_owners(views), first.frac_bits)
    return masks, blockwise_others(column(operands, 1), first.layout)


def of_one_block(product: ScaledBlock | GramBlock, operands: Operands) -> tuple[Any, ...]:
    mask = difference(column(operands, 0), product.owner)
    return mask, without_own(column(operands, 1))[product.owner]


whole.register(ScaledBlock, of_one_block)
whole.register(GramBlock, of_one_block)


@whole.register
def _(_: BitProduct, operands: Operands) -> tuple[Any, ...]:
    held = ([own[place] for own in operands.values() if own[place] is not None] for place in (0, 1))
    return tuple(total(shares) for shares in held)


@whole.register
def _(product: LeafProducts, operands: Operands) -> tuple[Any, ...]:
    bits = [own[1] for party, own in operands.items() if party != product.label_holder]
    return operands[product.label_holder][0], bits[0] if len(bits) == 1 else total(bits)
