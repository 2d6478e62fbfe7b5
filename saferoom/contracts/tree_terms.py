"""Parameters of boosted trees that contradict each other, or would let sums name rows."""

from __future__ import annotations

from saferoom.contracts.params import BoostingParams

LEAST_LEAF_ROWS = 20
LEAST_WEIGHTED_LEAF_ROWS = 30
"""Where rows have weights: gradients that differ by more bits let fewer sets of rows have the same sums."""


def tree_objections(params: BoostingParams, *, has_own_features: bool) -> list[str]:
    """Every reason against the parameters; `has_own_features`: the label holder names feature columns."""
    rules = (*_growth_rules(params), *_own_tree_rules(params, has_own_features), *_row_rules(params))
    return [objection for is_broken, objection in rules if is_broken]


def _growth_rules(params: BoostingParams) -> tuple[tuple[bool, str], ...]:
    return (
        (
            params.min_leaf_rows < LEAST_LEAF_ROWS,
            f"boosted trees need min_leaf_rows of at least {LEAST_LEAF_ROWS}",
        ),
        (
            params.reg_lambda == 0 and params.min_child_weight == 0,
            "reg_lambda and min_child_weight are both 0, and a leaf's weight would have no bound",
        ),
    )


def _own_tree_rules(params: BoostingParams, has_own_features: bool) -> tuple[tuple[bool, str], ...]:
    return (
        (
            params.own_trees >= params.n_estimators,
            "own_trees leaves none of the n_estimators trees to all parties",
        ),
        (
            params.own_trees > 0 and not has_own_features,
            "own_trees needs feature columns of the label holder, and none is named",
        ),
    )


def _row_rules(params: BoostingParams) -> tuple[tuple[bool, str], ...]:
    """Which rows grow a tree: early stopping holds some out, GOSS and `subsample` draw."""
    stops, holds_out = params.early_stopping_rounds is not None, params.validation_share > 0
    top, other = params.top_rate, params.other_rate
    return (
        (stops and not holds_out, "early_stopping_rounds needs a validation_share above 0"),
        (
            holds_out and not stops,
            "validation_share keeps rows from the trees, and only early_stopping_rounds needs that",
        ),
        ((top is None) != (other is None), "top_rate and other_rate are named together or not at all"),
        ((top or 0) + (other or 0) > 1, "top_rate and other_rate add up to more than all rows"),
        (
            top is not None and params.subsample < 1,
            "top_rate and other_rate draw the rows of a tree, so subsample must be 1",
        ),
    )
