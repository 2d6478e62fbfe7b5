"""What the kinds that end in a joint regression have in common."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictFloat, StrictInt

from saferoom.kinds.base import Pairs, Terms, Texts, Warned
from saferoom.kinds.fields import Strict
from saferoom.kinds.jobs import Training
from saferoom.kinds.roles import feature_holders

Real: TypeAlias = StrictFloat | StrictInt

TWO_PARTIES: Texts = (
    "with two parties, {who} subtracts its own part from a score and has {other}'s part of it",
    "只有两方:{who} 从评分中减去自己的部分,就得到 {other} 的部分",
)
SINGLE_COLUMN: Texts = (
    "{party} brings a single feature column: its part of a score, where known, shows the column's order",
    "{party} 只带来一个特征列:谁得知其评分部分,谁就得知该列的大小顺序",
)


_ALL_LEARN = frozenset({"widths", "range_check", "converged"})


class RegressionParams(Strict):
    """`l2`: the penalty in the original (standardised) coordinates, as scikit-learn's 1/C.

    `logit_range`: scores beyond plus or minus this are not trusted; None has it chosen by the number of rows.
    """

    l2: Annotated[Real, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0
    logit_range: Literal[8, 16, 32] | None = None


class RegressionTraining(Training):
    """Training that releases to each party the coefficients of its own columns."""

    def discloses(self, terms: Terms) -> Pairs:
        own = terms.recipients("coefficients")
        return super().discloses(terms) | frozenset(
            [
                *((kind, who) for kind in _ALL_LEARN for who in (*terms.helpers, *terms.party_ids())),
                *(("coefficients", party) for party in own),
                *(("intercept", party) for party in own if party == terms.label_holder),
            ]
        )


def part_warnings(terms: Terms) -> list[Warned]:
    """A score is a sum of parts: with two parties of one's own and the other's, with one column of that."""
    return [
        *_two_party_warnings(terms),
        *(
            (SINGLE_COLUMN, {"party": party})
            for party in feature_holders(terms)
            if len(terms.features_of(party)) == 1
        ),
    ]


def unweighted(terms: Terms, name: str) -> list[str]:
    """Why the label holder's weight column is in the way."""
    if not terms.columns_of(terms.label_holder, "weight"):
        return []
    return [f"a {name} task uses no weights; name no weight column, or train boosted trees"]


def _two_party_warnings(terms: Terms) -> list[Warned]:
    parties = terms.party_ids()
    if len(parties) > 2:
        return []
    scored = sorted({*terms.recipients("score"), *terms.recipients("points")})
    return [
        (TWO_PARTIES, {"who": who, "other": next(party for party in parties if party != who)})
        for who in scored
    ]
