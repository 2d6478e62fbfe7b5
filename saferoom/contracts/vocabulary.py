"""The closed vocabularies of a contract: uses, release forms, trust modes, assumptions."""

from __future__ import annotations

from typing import Literal, TypeAlias

Role: TypeAlias = Literal["label_holder", "feature_holder"]
ColumnUse: TypeAlias = Literal["feature", "label", "split", "weight", "id"]
TaskKind: TypeAlias = Literal["logistic", "scorecard", "boosting"]
Trust: TypeAlias = Literal["assisted", "strict"]
Use: TypeAlias = Literal["train", "score_batch", "score_one", "grade"]
Form: TypeAlias = Literal["coefficients", "splits", "score", "points", "grade_only", "reason_codes"]
Assumption: TypeAlias = Literal[
    "semi_honest_parties", "helper_does_not_collude", "two_party_score_reveals_part"
]

SUPPORTED_TRUST: frozenset[Trust] = frozenset({"assisted"})
SUPPORTED_FORMS: dict[TaskKind, frozenset[Form]] = {
    "logistic": frozenset({"coefficients", "score"}),
    "scorecard": frozenset({"coefficients", "score", "points", "reason_codes"}),
    "boosting": frozenset({"splits", "score", "reason_codes"}),
}
"""Release forms of each kind of task."""

ASSUMPTIONS: dict[Assumption, tuple[str, str]] = {
    "semi_honest_parties": (
        "every party follows the protocol, though it may study all it receives",
        "各方都按协议执行,但可能研究收到的一切内容",
    ),
    "helper_does_not_collude": (
        "the coordinator's helper shares nothing with any party; with one, it could undo the masking",
        "协调方的辅助服务不与任何一方串通;若与某一方串通,即可去除掩码",
    ),
    "two_party_score_reveals_part": (
        "with two parties, whoever learns a score can subtract its own part and has the other's part",
        "只有两方时,得到评分的一方减去自己的部分,就得到对方的部分",
    ),
}
"""Each assumption in English and Chinese."""
