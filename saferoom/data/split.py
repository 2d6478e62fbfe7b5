"""A random split into training and held-out rows, where the label holder has no split column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import UsageError
from saferoom.ring.public import public_order


def random_split(rows: int, seed: int, *, share: float = 0.7) -> NDArray[np.bool_]:
    """Which of `rows` aligned rows are for training, (rows,) bool; about `share` of them, exactly rounded.

    The seed is public and the result the same on every machine and version: each row draws 64 bits of
    SHAKE-256 and those with the smallest draws train. Raises UsageError.
    """
    if not 0 < share < 1:
        raise UsageError("the share of training rows must lie between 0 and 1", remedy="use for example 0.7")
    order = public_order(f"saferoom split {seed}", rows)
    train = np.zeros(rows, dtype=np.bool_)
    train[order[: round(share * rows)]] = True
    return train
