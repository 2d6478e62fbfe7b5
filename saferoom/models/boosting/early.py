"""When to stop boosting: the label holder watches the log loss of rows that no tree was grown on."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.models.boosting.settings import BoostingSettings

F64: TypeAlias = NDArray[np.float64]


class EarlyStop:
    """y, weights (rows,) of the validation rows; `losses` after the trees that are there already."""

    def __init__(
        self, settings: BoostingSettings, y: F64, weights: F64, losses: tuple[float, ...] = ()
    ) -> None:
        self._rounds = settings.early_stopping_rounds
        self._y, self._weights = y, weights
        self.losses = losses

    @property
    def now(self) -> bool:
        """Whether the last rounds brought nothing."""
        if self._rounds is None or not self.losses:
            return False
        return len(self.losses) > self._best() + self._rounds

    def after(self, chances: F64) -> None:
        """Told the probabilities (rows,) after one more tree."""
        if self._rounds is None:
            return
        # Bounded away from 0 and 1, where the logarithm would not be finite.
        chances = np.clip(chances, 1e-15, 1 - 1e-15)
        losses = -np.where(self._y == 1, np.log(chances), np.log(1 - chances))
        self.losses = (*self.losses, float(np.average(losses, weights=self._weights)))

    def best(self, trees: int) -> int:
        """How many of the first `trees` trees to keep: up to the one with the least loss."""
        return trees if self._rounds is None else self._best() + 1

    def _best(self) -> int:
        """Place of the least loss."""
        return int(np.argmin(self.losses))
