"""The parameters of each kind of task. All are public: every party sees and signs them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictFloat, StrictInt, ValidationError

from saferoom.contracts.fields import Count, Strict, problems
from saferoom.contracts.vocabulary import TaskKind

Real: TypeAlias = StrictFloat | StrictInt


class LogisticParams(Strict):
    """`l2`: the penalty in the original (standardised) coordinates, as scikit-learn's 1/C.

    `logit_range`: scores beyond plus or minus this are not trusted; None has it chosen by the number of rows.
    """

    l2: Annotated[Real, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0
    logit_range: Literal[8, 16, 32] | None = None


class ScorecardParams(LogisticParams):
    """Binning, selection, regression on WOE columns (`l2`, `logit_range`), and the scale of points.

    pre_bins      how many bins of a column are counted at most, before they are merged
    pre_binning   quantile, or tree: at the label holder, on its own columns, cut by the labels
    max_bins      of ordinary values in the end; missing values and special codes have bins besides
    min_bin_share of the training rows in each bin of ordinary values (and never below `minimum_bin_rows`)
    trend         auto (WOE monotone, or U-shaped if clearly better), monotone, none
    min_iv        columns with a lower information value are left out
    max_vif       columns are left out until no variance inflation factor is higher; None: not computed
    drop_wrong_signs  train again without columns whose coefficient has the wrong sign
    standard_errors  each party learns those of its coefficients too
    base_points, base_odds, pdo   points at these odds (goods per bad); points that double the odds
    scheme, key_bits              of the encryption that label counts are made under
    """

    pre_bins: Annotated[StrictInt, Field(ge=2, le=100)] = 20
    pre_binning: Literal["quantile", "tree"] = "quantile"
    max_bins: Annotated[StrictInt, Field(ge=2, le=20)] = 6
    min_bin_share: Annotated[Real, Field(ge=0, le=0.5)] = 0.05
    trend: Literal["auto", "monotone", "none"] = "auto"
    min_iv: Annotated[Real, Field(ge=0, le=10)] = 0.0
    max_vif: Annotated[Real, Field(ge=1.5, le=500)] | None = None
    drop_wrong_signs: StrictBool = False
    standard_errors: StrictBool = False
    base_points: Annotated[Real, Field(ge=-10_000, le=10_000)] = 600.0
    base_odds: Annotated[Real, Field(gt=0, le=1e6)] = 20.0
    pdo: Annotated[Real, Field(gt=0, le=1000)] = 50.0
    scheme: Literal["okamoto-uchiyama", "paillier"] = "okamoto-uchiyama"
    key_bits: Literal[2048, 3072] = 3072


class BoostingParams(Strict):
    """Boosted trees, under XGBoost's names as far as they go.

    n_estimators, max_depth   trees at most, and levels of splits in each
    learning_rate     the share of each tree that counts
    reg_lambda        penalty of leaf weights
    gamma, min_child_weight   least gain of a split, least sum of hessians on each side
    subsample, colsample_bytree   shares of the training rows, and of each party's columns, drawn for a tree
    max_bin           bins of a column at most; splits lie between bins
    scale_pos_weight  weight of events
    early_stopping_rounds     stop after so many trees without gain on the validation rows
    validation_share  of the training rows, which then grow no tree
    top_rate, other_rate      GOSS: the rows of largest gradients, and rows drawn from the others, as shares
    own_trees         so many first trees use the label holder's own columns alone
    min_leaf_rows     training rows in each leaf, and under every sum that leaves a party
    min_leaf_events   events among them in each leaf
    seed              of the rows and columns drawn
    scheme, key_bits, randomness   of the encryption that gradients are summed under
    """

    n_estimators: Annotated[StrictInt, Field(ge=1, le=1000)] = 100
    max_depth: Annotated[StrictInt, Field(ge=1, le=10)] = 5
    learning_rate: Annotated[Real, Field(gt=0, le=1)] = 0.3
    reg_lambda: Annotated[Real, Field(ge=0, le=1e6)] = 1.0
    gamma: Annotated[Real, Field(ge=0, le=1e6)] = 0.0
    min_child_weight: Annotated[Real, Field(ge=0, le=1e6)] = 1.0
    subsample: Annotated[Real, Field(gt=0, le=1)] = 1.0
    colsample_bytree: Annotated[Real, Field(gt=0, le=1)] = 1.0
    max_bin: Annotated[StrictInt, Field(ge=2, le=256)] = 32
    scale_pos_weight: Annotated[Real, Field(gt=0, le=1000)] = 1.0
    early_stopping_rounds: Annotated[StrictInt, Field(ge=1, le=1000)] | None = None
    validation_share: Annotated[Real, Field(ge=0, le=0.5)] = 0.0
    top_rate: Annotated[Real, Field(gt=0, lt=1)] | None = None
    other_rate: Annotated[Real, Field(gt=0, lt=1)] | None = None
    own_trees: Annotated[StrictInt, Field(ge=0, le=1000)] = 0
    min_leaf_rows: Count = 30
    min_leaf_events: Count = 0
    seed: Annotated[StrictInt, Field(ge=0, lt=2**53)] = 0
    scheme: Literal["okamoto-uchiyama", "paillier"] = "okamoto-uchiyama"
    key_bits: Literal[2048, 3072] = 3072
    randomness: Literal["full", "subgroup"] = "full"


Params: TypeAlias = LogisticParams | ScorecardParams | BoostingParams

PARAMS: dict[TaskKind, type[Params]] = {
    "logistic": LogisticParams,
    "scorecard": ScorecardParams,
    "boosting": BoostingParams,
}


def params_of(kind: TaskKind, given: Any) -> Any:
    """The parameters of a kind of task from JSON values. Raises ValueError naming each wrong one."""
    model = PARAMS.get(kind)
    if model is None or type(given) is model:
        return given
    try:
        return model.model_validate(given)
    except ValidationError as exc:
        raise ValueError("; ".join(problems(exc))) from None
