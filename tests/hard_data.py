"""Data that a regression finds hard: separated classes, columns repeated across parties, rare categories.

Every case is a function of its size and hardness alone. `optimum` is what scikit-learn reaches with a
tolerance that it does not have: Newton's method with a line search, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

WITHIN = 0.003
"""Of every coefficient, in the units of the prepared columns."""


@dataclass(frozen=True)
class Hard:
    """Rows, parties; the spread of the log-odds; the correlation of a column of the first party with one of
    the second; the share of rows in a rare category of the last party; the log-odds of an average row."""

    rows: int
    parties: int = 2
    separation: float = 1.0
    correlation: float = 0.0
    rare: float = 0.0
    shift: float = -1.0
    width: int = 3

    def __str__(self) -> str:
        return f"{self.rows}x{self.parties}-sep{self.separation}-cor{self.correlation}-rare{self.rare}"

    def blocks(self, seed: int = 0) -> tuple[list[Array], Array]:
        """Standardised columns, one block a party; labels (n,)."""
        rng = np.random.default_rng(seed)
        blocks = [rng.normal(size=(self.rows, self.width)) for _ in range(self.parties)]
        r = self.correlation
        blocks[1][:, 0] = r * blocks[0][:, 0] + np.sqrt(1 - r * r) * blocks[1][:, 0]
        blocks = [(one - one.mean(axis=0)) / one.std(axis=0) for one in blocks]
        z = self._log_odds(rng, blocks)
        if self.rare:
            chosen = rng.choice(self.rows, max(int(self.rare * self.rows), 1), replace=False)
            category = np.zeros((self.rows, 1))
            category[chosen], z[chosen] = 1, z[chosen] + 2
            blocks[-1] = np.hstack([blocks[-1], category])
        return blocks, (z + rng.logistic(size=self.rows) > 0).astype(float)

    def _log_odds(self, rng: np.random.Generator, blocks: list[Array]) -> Array:
        z = np.hstack(blocks) @ rng.normal(size=self.width * self.parties)
        apart = blocks[1][:, 0] - blocks[0][:, 0]
        if 0 < self.correlation < 1:  # what the two columns do not share counts, too
            z = z / z.std() + apart / apart.std()
        return np.asarray(z / z.std() * self.separation + self.shift * np.sqrt(self.separation))


def nearly_separable(rows: int = 7_000, columns: int = 64, scale: float = 20.0) -> tuple[list[Array], Array]:
    """Two parties; log-odds with a spread of `scale`, of which noise leaves a few rows on the wrong side."""
    rng = np.random.default_rng(3)
    x, weights = rng.normal(size=(rows, columns)), rng.normal(size=columns)
    z = x @ weights / np.linalg.norm(weights) * scale
    labels = (z + rng.logistic(size=rows) > 0).astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return np.array_split(x, 2, axis=1), labels


def nearly_repeated(noise: float = 0.9) -> tuple[list[Array], Array]:
    """14,000 rows, three parties; the difference of two columns with a correlation of 0.98 decides."""
    rng, rows = np.random.default_rng(41), 14_000
    amount = rng.normal(0, 1.2, rows)
    other = amount + rng.normal(0, 0.18, rows)
    term = np.log(rng.choice([12, 24, 36, 48, 60, 84, 84, 84, 120, 240], rows))
    staff, year = rng.normal(size=rows), rng.uniform(-4, 3, rows)
    z = -2.2 - 5.8 * (term - 4.2) + 5 * (other - amount) - 0.5 * staff + 0.35 * np.maximum(year, 0)
    state = rng.choice(6, rows, p=[0.4, 0.3, 0.15, 0.1, 0.03, 0.02])
    labels = (z + 0.8 * (state == 4) + rng.logistic(0, noise, rows) > 0).astype(float)
    numbers = [(one - one.mean()) / one.std() for one in (np.exp(term), amount, staff, other, year)]
    bank = np.column_stack([*numbers[:2], np.eye(6)[state]])
    return [bank, np.column_stack(numbers[2:]), np.eye(3)[rng.integers(0, 3, rows)]], labels


def optimum(blocks: list[Array], labels: Array, l2: float = 1.0) -> Array:
    """Coefficients of all columns and the intercept, (d + 1,)."""
    x = np.column_stack([*blocks, np.ones(len(labels))])
    ridge = l2 * np.append(np.ones(x.shape[1] - 1), 0.0)
    rate, w = labels.mean(), np.zeros(x.shape[1])
    w[-1] = np.log(rate / (1 - rate))

    def loss(at: Array) -> float:
        z = x @ at
        return float(np.sum(np.logaddexp(0, z) - labels * z) + (ridge * at * at).sum() / 2)

    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ w))
        hessian = (x.T * (p * (1 - p))) @ x + np.diag(ridge)
        move = np.linalg.lstsq(hessian, x.T @ (p - labels) + ridge * w, rcond=None)[0]
        stride, before = 1.0, loss(w)
        while loss(w - stride * move) > before and stride > 1e-9:
            stride /= 2
        w = w - stride * move
        if np.abs(stride * move).max() < 1e-11:
            break
    return w


def grid(rows: tuple[int, ...], parties: tuple[int, ...] = (2, 3, 5)) -> list[Hard]:
    """Separation × correlation × rare categories × rows × parties."""
    hardness = product(rows, parties, (1.0, 4.0, 8.0), (0.0, 0.9, 0.98, 1.0), (0.0, 0.003))
    return [Hard(n, k, separation, r, rare) for n, k, separation, r, rare in hardness]
