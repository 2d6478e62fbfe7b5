"""The public settings of boosted trees, by XGBoost's names, and the fixed point that all parties share."""

from __future__ import annotations

from dataclasses import dataclass

FRAC_BITS = 12
"""Of gradients and hessians: coarse, so that many sets of rows have the same sums."""
WEIGHT_FRAC_BITS = 22
"""Of leaf weights; scores are sums of them modulo 2**32."""
LARGEST_WEIGHT = 64.0
"""Of a sample."""
LEAST_GAIN = 1e-6


@dataclass(frozen=True, slots=True)
class BoostingSettings:
    """See `kinds.boosting.BoostingParams` for each. `weighted`: samples have weights of their own."""

    n_estimators: int = 100
    max_depth: int = 5
    learning_rate: float = 0.3
    reg_lambda: float = 1.0
    gamma: float = 0.0
    min_child_weight: float = 1.0
    subsample: float = 1.0
    colsample_bytree: float = 1.0
    max_bin: int = 32
    scale_pos_weight: float = 1.0
    early_stopping_rounds: int | None = None
    validation_share: float = 0.0
    top_rate: float | None = None
    other_rate: float | None = None
    own_trees: int = 0
    min_leaf_rows: int = 30
    min_leaf_events: int = 0
    seed: int = 0
    weighted: bool = False

    @property
    def largest_weight(self) -> float:
        """No sample counts more often than this in a sum."""
        amplified = 1.0
        if self.top_rate is not None and self.other_rate is not None:
            amplified = (1 - self.top_rate) / self.other_rate
        return max(1.0, self.scale_pos_weight) * amplified * (LARGEST_WEIGHT if self.weighted else 1.0)

    @property
    def least_rows(self) -> int:
        """Rows of the smallest leaf: a leaf with so many events has as many rows."""
        return max(self.min_leaf_rows, self.min_leaf_events)
