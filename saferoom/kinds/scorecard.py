"""The kind `scorecard`: bins and weight of evidence, a joint regression on them, and points."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from saferoom.kinds.base import Pairs, PolicyLimits, TaskKind, Terms, Texts, Warned
from saferoom.kinds.grading import GRADE_ONLY
from saferoom.kinds.jobs import Scoring
from saferoom.kinds.labels import BINARY
from saferoom.kinds.regression import Real, RegressionParams, RegressionTraining, part_warnings, unweighted
from saferoom.kinds.roles import feature_holders, one_label_holder, output_objections, own_and_released
from saferoom.kinds.score_step import points_step
from saferoom.scoring.points import PointScale

LEAST_BIN_ROWS = 10
USUAL_BIN_ROWS, FEWEST_USUAL_BIN_ROWS = 50, 20
OWN_BIN_ROWS = 10
"""What a bin of the label holder's own columns holds at least, for its WOE to mean something."""
TABLE = "scorecard"
"""Name of a party's table of points: of its files, and in what a node answers."""

BIN_COUNTS: Texts = (
    "a feature holder learns how many defaults fall into each bin of its own columns (bins of at least"
    " {rows} rows and {events} defaults), and so the default rate of all training rows; {who} learns"
    " the same numbers of defaults without rows, columns or edges",
    "特征方得知自己各列每个分箱中的违约数(每箱至少 {rows} 行、{events} 个违约),从而得知训练行的违约率;"
    "{who} 得知同样的违约数,但不知行数、列与边界",
)


def minimum_bin_rows(terms: Terms, train_rows: int) -> int:
    """Rows that a feature holder's bin holds at least: as agreed, or by the number of training rows."""
    if terms.minimum_bin_rows is not None:
        return terms.minimum_bin_rows
    return min(USUAL_BIN_ROWS, max(FEWEST_USUAL_BIN_ROWS, train_rows // 100))


def _least_bin_rows(terms: Terms) -> int:
    """The least that the minimum may come to."""
    return FEWEST_USUAL_BIN_ROWS if terms.minimum_bin_rows is None else terms.minimum_bin_rows


class ScorecardParams(RegressionParams):
    """Binning, selection, regression on WOE columns (`l2`, `logit_range`), and the scale of points.

    pre_bins      how many bins of ordinary values are counted about, before they are merged; None: as many
                  as the rows bear, at most 100
    pre_binning   quantile, or tree: at the label holder, on its own columns, cut by the labels
    max_bins      of ordinary values in the end; missing values and special codes have bins besides
    min_bin_share of the training rows in each bin of ordinary values
    trend         auto (WOE monotone, U-shaped if clearly better, any if that is again), monotone, none
    min_iv        columns with a lower information value are left out
    max_vif       columns are left out until no variance inflation factor is higher; None: not computed
    drop_wrong_signs  train again without columns whose coefficient has the wrong sign; else they are marked
    standard_errors  each party learns those of its coefficients too
    base_points, base_odds, pdo   points at these odds (goods per bad); points that double the odds
    scheme, key_bits              of the encryption that label counts are made under
    """

    pre_bins: Annotated[StrictInt, Field(ge=2, le=100)] | None = None
    pre_binning: Literal["quantile", "tree"] = "quantile"
    max_bins: Annotated[StrictInt, Field(ge=2, le=20)] = 6
    min_bin_share: Annotated[Real, Field(ge=0, le=0.5)] = 0.05
    trend: Literal["auto", "monotone", "none"] = "auto"
    min_iv: Annotated[Real, Field(ge=0, le=10)] = 0.0
    max_vif: Annotated[Real, Field(ge=1.5, le=500)] | None = None
    drop_wrong_signs: StrictBool = True
    standard_errors: StrictBool = False
    base_points: Annotated[Real, Field(ge=-10_000, le=10_000)] = 600.0
    base_odds: Annotated[Real, Field(gt=0, le=1e6)] = 20.0
    pdo: Annotated[Real, Field(gt=0, le=1000)] = 50.0
    scheme: Literal["okamoto-uchiyama", "paillier"] = "okamoto-uchiyama"
    key_bits: Literal[2048, 3072] = 3072


class ScorecardTraining(RegressionTraining):
    """Training that counts labels in bins, selects columns, and turns coefficients into points."""

    def discloses(self, terms: Terms) -> Pairs:
        params: ScorecardParams = terms.params
        by_vif = params.max_vif is not None
        everybody = (*terms.party_ids(), *terms.helpers) if by_vif or params.drop_wrong_signs else ()
        with_errors = terms.recipients("coefficients") if params.standard_errors else ()
        return super().discloses(terms) | frozenset(
            [
                ("anonymous_events", terms.label_holder),
                *([("vif", terms.label_holder)] if by_vif else []),
                *(("standard_errors", party) for party in with_errors),
                *(("left_out", node) for node in everybody),
                *(("bin_events", party) for party in feature_holders(terms)),
                *([] if terms.recipients(GRADE_ONLY) else [("points", terms.label_holder)]),
            ]
        )


class Scorecard(TaskKind):
    name = "scorecard"
    title = ("WOE scorecard", "WOE 评分卡")
    params = ScorecardParams
    label = BINARY
    forms = frozenset({"coefficients", "score", "points", "reason_codes", GRADE_ONLY})
    releases = MappingProxyType(
        {GRADE_ONLY: (GRADE_ONLY,), "points": ("points",), "scores": ("score", "points")}
    )
    jobs = (ScorecardTraining(), Scoring("points"))

    def role_problems(self, terms: Terms) -> list[str]:
        return one_label_holder(terms)

    def objections(self, terms: Terms) -> list[str]:
        bins = []
        if _least_bin_rows(terms) < LEAST_BIN_ROWS:  # defaults counted over a handful of rows would name them
            bins.append(f"a scorecard needs minimum_bin_rows of at least {LEAST_BIN_ROWS}")
        needs = output_objections(
            terms, own="coefficients", evaluated=(("points", "a scorecard"),), scored="points"
        )
        if terms.params.standard_errors and terms.label_holder not in terms.recipients("score"):
            needs.append("standard errors need the output score to the label holder, and it is not named")
        return [*bins, *unweighted(terms, self.name), *needs]

    def points_step(self, terms: Terms) -> float:
        params: ScorecardParams = terms.params
        return points_step(terms.released_step, PointScale(pdo=float(params.pdo)).factor)

    def warnings(self, terms: Terms) -> list[Warned]:
        rows = terms.minimum_bin_rows
        usual = f"{FEWEST_USUAL_BIN_ROWS}–{USUAL_BIN_ROWS}"
        limits = {"rows": usual if rows is None else rows, "events": terms.minimum_bin_events}
        return [*part_warnings(terms), (BIN_COUNTS, {"who": terms.label_holder, **limits})]

    def limits(self, limits: PolicyLimits, terms: Terms) -> list[str]:
        return [
            f"the minimum of {agreed} {what} in a bin is below our {own}"
            for what, agreed, own in (
                ("rows", _least_bin_rows(terms), limits.minimum_bin_rows),
                ("events", terms.minimum_bin_events, limits.minimum_bin_events),
            )
            if agreed < own
        ]

    def usual_outputs(self, roles: Mapping[str, str], release: str = "") -> list[dict[str, str]]:
        return own_and_released(roles, "coefficients", self.releases, release)


KIND = Scorecard()
