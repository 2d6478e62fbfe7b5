"""The kind `boosting`: gradient-boosted trees grown together on every party's columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from saferoom.kinds.base import Pairs, PolicyLimits, TaskKind, Terms, Texts, Warned
from saferoom.kinds.fields import Count, Strict
from saferoom.kinds.jobs import Scoring, Training
from saferoom.kinds.labels import BINARY
from saferoom.kinds.regression import Real
from saferoom.kinds.roles import feature_holders, one_label_holder, output_objections, own_and_released

LEAST_LEAF_ROWS = 20
LEAST_WEIGHTED_LEAF_ROWS = 30
"""Where rows have weights: gradients that differ by more bits let fewer sets of rows have the same sums."""
ROWS_PER_NODE = 10
"""Training rows for each node of all joint trees: with fewer, sums tell too much of single rows together."""

TREE_SUMS: Texts = (
    "{who} learns, for every candidate split of the other parties' columns, sums of gradients and events"
    " on its left side, in a secret order, without column or value; no sum covers fewer than {rows} rows",
    "{who} 得知他方各列每个候选分裂左侧各行的梯度与违约数之和(次序保密,不知道列与取值);"
    "每个和至少含 {rows} 行",
)
MANY_SUMS: Texts = (
    "with fewer than {rows} training rows, sums of so many trees of this depth let {who} work out on"
    " which side of the other parties' cuts many rows lie: agree on a larger minimum_rows, or on fewer or"
    " shallower trees",
    "训练行少于 {rows} 行时,这么多、这么深的树的和足以让 {who} 推算出许多行位于他方切分点的哪一侧:"
    "请约定更大的 minimum_rows,或减少树的数量或深度",
)
TREE_ROWS: Texts = (
    "every party learns which training rows each node of each tree holds: which rows lie on the same side"
    " of another party's split and, since rows of a leaf tend to default alike, something of labels",
    "各方均得知每棵树的每个节点含有哪些训练行:哪些行位于他方某个分裂的同一侧;"
    "同一叶中的行违约情况往往相近,因此也会透露一些标签信息",
)
FIRST_TREES: Texts = (
    "the first trees tell defaults apart best, and use the columns of all parties: with own_trees the"
    " first ones use those of {who} alone",
    "最初几棵树最能区分违约,且使用各方的列:设置 own_trees 可使最初几棵树只使用 {who} 的列",
)
LARGEST_GRADIENTS: Texts = (
    "each tree grows on the rows of the largest gradients (top_rate): which rows these are tells every"
    " feature holder of most defaults, where defaults are rare",
    "每棵树只用梯度最大的行(top_rate):在违约较少时,各特征方由这些行即可得知大部分违约企业",
)
TREE_SCORES: Texts = (
    "{who} knows the weight of every leaf: a score narrows down the leaves that an enterprise reaches,"
    " and so on which side of the other parties' splits it lies",
    "{who} 知道每个叶的权重:评分会缩小企业可能到达的叶的范围,从而得知其位于他方分裂的哪一侧",
)
SPLIT_VALUES: Texts = (
    "for reason codes, each party but {who} learns how the average log-odds on the two sides of its own"
    " splits differ, in steps of about a point: of many trees on few training rows this tells which of"
    " them defaulted",
    "为给出原因代码,{who} 以外的各方得知自己每个分裂两侧的平均对数几率相差多少(约以一分为单位);"
    "树很多而训练行很少时,由此可得知其中哪些行违约",
)
SINGLE_COLUMN_SPLITS: Texts = (
    "{party} brings a single feature column: all its splits are of that column, so the sides on which"
    " rows lie show the column's order",
    "{party} 只带来一个特征列:其所有分裂都在该列上,各行位于哪一侧就显示该列的大小顺序",
)


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


class BoostingTraining(Training):
    """Training that tells sums of gradients and, to every party, which rows a node holds."""

    is_resumable = True

    def discloses(self, terms: Terms) -> Pairs:
        others = feature_holders(terms)
        told_values = others if terms.recipients("reason_codes") else ()
        return super().discloses(terms) | frozenset(
            [
                ("split_sums", terms.label_holder),
                *(("chosen_splits", party) for party in terms.recipients("splits") if party in others),
                *(("tree_rows", party) for party in terms.party_ids()),
                *(("tree_shapes", party) for party in others),
                *(("split_values", party) for party in told_values),
            ]
        )


class Boosting(TaskKind):
    name = "boosting"
    title = ("boosted trees", "梯度提升树")
    params = BoostingParams
    label = BINARY
    forms = frozenset({"splits", "score", "reason_codes"})
    releases = MappingProxyType({"scores": ("score",)})
    jobs = (BoostingTraining(), Scoring("score"))

    def role_problems(self, terms: Terms) -> list[str]:
        return one_label_holder(terms)

    def objections(self, terms: Terms) -> list[str]:
        outputs = output_objections(terms, own="splits", evaluated=(("score", "evaluation"),), scored="score")
        return [*_tree_objections(terms), *_weight_objections(terms), *outputs]

    def warnings(self, terms: Terms) -> list[Warned]:
        found = _tree_warnings(terms)
        if terms.recipients("reason_codes"):
            found.append((SPLIT_VALUES, {"who": terms.label_holder}))
        single = (party for party in feature_holders(terms) if len(terms.features_of(party)) == 1)
        return [*found, *((SINGLE_COLUMN_SPLITS, {"party": party}) for party in single)]

    def limits(self, limits: PolicyLimits, terms: Terms) -> list[str]:
        rows = terms.params.min_leaf_rows
        if rows >= limits.minimum_bin_rows:
            return []
        return [f"the minimum of {rows} rows in a leaf is below our {limits.minimum_bin_rows}"]

    def usual_outputs(self, roles: Mapping[str, str], release: str = "") -> list[dict[str, str]]:
        return own_and_released(roles, "splits", self.releases, release)


KIND = Boosting()


def _tree_objections(terms: Terms) -> list[str]:
    params, has_own_features = terms.params, bool(terms.features_of(terms.label_holder))
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


def _weight_objections(terms: Terms) -> list[str]:
    weighted = terms.columns_of(terms.label_holder, "weight")
    if not weighted or terms.params.min_leaf_rows >= LEAST_WEIGHTED_LEAF_ROWS:
        return []
    return [f"with a weight column boosted trees need min_leaf_rows of at least {LEAST_WEIGHTED_LEAF_ROWS}"]


def _tree_warnings(terms: Terms) -> list[Warned]:
    params, who = terms.params, {"who": terms.label_holder}
    enough = ROWS_PER_NODE * (params.n_estimators - params.own_trees) * 2**params.max_depth
    return [
        (TREE_SUMS, {**who, "rows": params.min_leaf_rows}),
        *([] if terms.minimum_rows >= enough else [(MANY_SUMS, {**who, "rows": enough})]),
        (TREE_ROWS, {}),
        *([] if params.own_trees else [(FIRST_TREES, who)]),
        *([] if params.top_rate is None else [(LARGEST_GRADIENTS, {})]),
        (TREE_SCORES, who),
    ]
