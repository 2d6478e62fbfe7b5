"""What a recipient of joint scores tries on them: it knows the scores and its own part of each, no more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Bits = NDArray[np.bool_]

SAME = 1e-6


def drawers(values: F64, same: float) -> tuple[F64, NDArray[np.int64]]:
    """The distinct values, sorted, and how many stand for each; those within `same` of the next are one."""
    ordered = np.sort(values)
    starts = np.flatnonzero(np.append(True, np.diff(ordered) > same))
    counts = np.diff(np.append(starts, len(ordered)))
    return np.add.reduceat(ordered, starts) / counts, counts


def decompose(rest: F64, columns: int, same: float = SAME) -> Bits:
    """Guess yes/no columns (n, columns) from the others' part `rest` (n,) of each score.

    Sums of a few yes/no columns take few values, and each column's weight is a difference between a great
    many pairs of them: the most frequent differences are the weights. Then each value names its columns.
    """
    values, _ = drawers(rest, same)
    gaps = np.subtract.outer(values, values)
    gaps, counts = drawers(gaps[gaps > same], same)
    weights = gaps[np.argsort(-counts, kind="stable")[:columns]]
    choices = np.array(list(product([False, True], repeat=len(weights))))
    sums = values[0] + choices @ weights
    order = np.argsort(sums)
    places = np.clip(np.searchsorted(sums[order], rest), 1, len(sums) - 1)
    nearer = np.abs(sums[order[places]] - rest) < np.abs(sums[order[places - 1]] - rest)
    return np.asarray(choices[order[np.where(nearer, places, places - 1)]])


def recovered(truth: Bits, guessed: Bits) -> F64:
    """Of each true column, the share of rows that the best of the guesses, or its opposite, has right.

    Never below what guessing the more frequent answer in every row has right.
    """
    agree = (truth[:, :, None] == guessed[:, None, :]).mean(axis=0)
    return np.maximum(np.maximum(agree, 1 - agree).max(axis=1), by_rates(truth))


def by_rates(truth: Bits) -> F64:
    """What somebody has right of each column who knows how often it is true, and nothing else."""
    return np.maximum(truth.mean(axis=0), 1 - truth.mean(axis=0))


def informed(rest: F64, parts: Sequence[tuple[Bits, F64]], step: float) -> Bits:
    """The best possible guesses of an attacker that knows all weights and rates: each column of `parts`.

    `parts`: of each other party its columns (n, c), for their rates, and their weights. `rest`: as released,
    each party's part rounded by chance to `step`.
    """
    truth = np.concatenate([bits for bits, _ in parts], axis=1)
    choices = np.array(list(product([False, True], repeat=truth.shape[1])))
    prior = np.prod(np.where(choices, truth.mean(axis=0), 1 - truth.mean(axis=0)), axis=1)
    chance: dict[int, Any] = {0: np.ones(len(choices))}
    base, done = np.zeros(len(choices)), 0
    for bits, weights in parts:
        steps = choices[:, done : done + bits.shape[1]] @ weights / step
        done += bits.shape[1]
        base, up = base + np.floor(steps), steps - np.floor(steps)
        places = range(max(chance) + 2)
        chance = {k: chance.get(k, 0.0) * (1 - up) + chance.get(k - 1, 0.0) * up for k in places}
    released, inverse = np.unique(np.rint(rest / step), return_inverse=True)
    likely = np.stack([sum((at - base == k) * p for k, p in chance.items()) for at in released])
    likely = likely * prior
    likely /= likely.sum(axis=1, keepdims=True)
    return np.asarray((likely @ choices > 0.5)[inverse])


def whole_numbers(rest: F64, largest: int, exact: float) -> tuple[float, float] | None:
    """Two weights such that every `rest` is the lowest + a·i + b·j with whole i, j from 0 to `largest`.

    Tried from the differences between a few of them: a simple search in the lattice that such sums lie in.
    None if nothing fits to within `exact`.
    """
    values = np.unique(np.round(rest, 9))
    gaps = values[1:] - values[0]
    for first in gaps[:8]:
        for times in range(1, largest + 1):
            a = first / times
            for second in gaps[:12]:
                for others in product(range(-largest, largest + 1), range(1, largest + 1)):
                    b = (second - others[0] * a) / others[1]
                    if b > SAME and _fits(gaps, (a, b), largest, exact):
                        return float(a), float(b)
    return None


def _fits(gaps: F64, weights: tuple[float, float], largest: int, exact: float) -> bool:
    a, b = weights
    left = gaps[:, None] - np.arange(largest + 1) * a
    j = np.rint(left / b)
    off = np.where((j >= 0) & (j <= largest), np.abs(left - j * b), np.inf)
    return bool((off.min(axis=1) < exact).all())
