"""Grades alone: what stands in the way of releasing nothing else, and what a grade tells all the same.

A grade says between which cuts a score lies. Whoever sees the same enterprise under k schemes learns as much
as from one scheme with all their cuts: so the contract fixes them, and a job cannot change them.
"""

from __future__ import annotations

from saferoom.kinds.base import Terms, Texts, Warned
from saferoom.kinds.fields import listed
from saferoom.kinds.grading import GRADE_ONLY

TELLING = ("score", "points")
"""Release forms that tell more than a grade."""

INTERVALS: Texts = (
    "a grade tells {who} between which cuts a score lies; the grades of one enterprise by several models"
    " narrow it down: the {jobs} training jobs and {scores} scores a day bound how often",
    "等级告诉 {who} 评分位于哪两个切点之间;同一企业在多个模型下的等级会逐步缩小评分的范围:"
    "合约的训练作业数({jobs} 次)与每日评分数({scores} 个)限制了次数",
)
TWO_PARTY_INTERVALS: Texts = (
    "with two parties, {who} takes its own part off the cuts and has an interval that holds {other}'s part",
    "只有两方:{who} 从切点中减去自己的部分,就得到 {other} 的部分所在的区间",
)
OWN_CUTS: Texts = (
    "the cuts are {who}'s own and nobody else sees them: that they stay the same from job to job rests on its"
    " word; they are kept with each model, and fixed before it is trained",
    "切点由 {who} 自定,他方看不到:各次作业之间切点不变,凭其承诺;切点随每个模型保存,在训练之前即已确定",
)


_GRADING_OF_NOTHING = "grading is fixed where grades alone are released, and no output is grade_only"


def grade_objections(terms: Terms) -> list[str]:
    """Why grades alone cannot be released as the contract has it; nothing if it does not ask for that."""
    recipients = terms.recipients(GRADE_ONLY)
    if not recipients:
        return [] if terms.grading is None else [_GRADING_OF_NOTHING]
    found = [
        f"grade_only says that nobody learns a score, and the output {form} to {listed(told)} tells it;"
        " leave one of them out"
        for form in TELLING
        if (told := terms.recipients(form))
    ]
    if terms.grading is None:
        found.append("grade_only needs the term grading: the names of the grades, and their cuts")
    if not terms.helpers:
        found.append("grade_only needs a helper; use trust mode assisted")
    return found


def grade_warnings(terms: Terms) -> list[Warned]:
    """What a grade tells all the same."""
    recipients, parties = terms.recipients(GRADE_ONLY), terms.party_ids()
    if not recipients:
        return []
    quotas = {"jobs": terms.training_jobs, "scores": terms.scores_per_day}
    found: list[Warned] = [(INTERVALS, {"who": listed(recipients), **quotas})]
    if len(parties) == 2:
        found += [
            (TWO_PARTY_INTERVALS, {"who": who, "other": next(party for party in parties if party != who)})
            for who in recipients
        ]
    if terms.grading is not None and terms.grading.cuts is None:
        found.append((OWN_CUTS, {"who": terms.label_holder}))
    return found
