"""One party's masks: every mask is expanded from the party's seed by its label, once.

The dealer holds the same book for every party, so both ends know a mask without sending it. A label is
spent when its words are drawn; a second draw raises MaskReuseError, because two values under one mask give
away their difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saferoom.errors import MaskReuseError
from saferoom.ring.prg import Expander


class MaskBook:
    """Single-use masks under one seed. `repr` shows how many were spent, never the seed."""

    def __init__(self, seed: bytes) -> None:
        self._expander = Expander(seed)
        self._spent: set[bytes] = set()

    def __repr__(self) -> str:
        return f"MaskBook(spent={len(self._spent)})"

    def spend(self, label: str, shape: int | tuple[int, ...], dtype: DTypeLike = np.uint64) -> NDArray[Any]:
        """The uniform words of `label`. Raises MaskReuseError if it was spent or retired before."""
        return self._expander.words(self._first_use(label), shape, dtype)

    def retire(self, label: str) -> None:
        """Let nobody spend `label` any more: something else took its place. Raises as `spend` does."""
        self._first_use(label)

    def _first_use(self, label: str) -> bytes:
        nonce = self._expander.nonce(label)
        if nonce in self._spent:
            raise MaskReuseError("this one-time mask was spent already", step=label)
        self._spent.add(nonce)
        return nonce
