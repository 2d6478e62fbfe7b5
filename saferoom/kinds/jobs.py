"""The kinds of job that kinds of task share: training a model, and scoring with one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from saferoom.kinds.base import JobKind, Kept, Pairs, Terms, Usage
from saferoom.kinds.grading import GRADE_ONLY

TRAIN, SCORE = "train", "score"
MOST_REASONS = 4
MOST_ROWS_WITH_REASONS = 2_000

_JOB = re.compile(r"[0-9a-f]{32}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SCORE_PARAMS = frozenset({"model", "mode", "rows", "reasons"})
_NO_RECIPIENT = "the contract names no recipient of reason codes"


class Training(JobKind):
    """`train`: align, split, train, evaluate, release. Leaves a model at every party.

    It takes no parameter that differs from the contract's; and if it can be resumed, `resume`: the id of an
    earlier job that ended without a model.
    """

    name = TRAIN
    uses = (TRAIN,)
    leaves = "model"
    kept = Kept("model.stored")
    records = JobKind.records | {"job.resumed"}
    resume_param = "resume"
    is_resumable: ClassVar[bool] = False

    def discloses(self, terms: Terms) -> Pairs:
        return frozenset(
            [
                *(("set_sizes", helper) for helper in terms.helpers),
                *((kind, party) for kind in ("intersection", "split") for party in terms.party_ids()),
                *(("score", party) for party in terms.recipients("score")),
                *(("grades", party) for party in _graded(terms) if party == terms.label_holder),
                *(("auc", party) for party in _graded(terms) if party == terms.label_holder),
            ]
        )

    def refuses(self, terms: Terms, params: Mapping[str, Any]) -> list[str]:
        agreed = {**terms.params.model_dump(), "split_seed": terms.split_seed}
        reasons = [
            f"parameter {name!r} differs from the contract's"
            for name in sorted(set(params) - {"resume"})
            if name not in agreed or isinstance(params[name], bool) or params[name] != agreed[name]
        ]
        return reasons + (self._refuses_to_resume(params["resume"]) if "resume" in params else [])

    def uses_up(self, params: Mapping[str, Any]) -> Usage:
        del params
        return Usage(training_jobs=1)

    def _refuses_to_resume(self, job: object) -> list[str]:
        if not self.is_resumable:
            return ["only jobs of boosted trees can be resumed"]
        if not isinstance(job, str) or not _JOB.fullmatch(job):
            return ["the parameter 'resume' is not the id of a job"]
        return []


class Scoring(JobKind):
    """`score`: joint scores of a list of enterprises, to their recipient; or grades alone, to all of theirs.

    It takes `model` (its id), `mode` (`batch` or `one`; `batch` if absent), `rows` (how many, for the quota)
    and `reasons` (codes for each). `form`: score or points.
    """

    name = SCORE
    uses = ("score_batch", "score_one")
    leaves = "list of scores"
    kept = Kept("scores.stored", "scores.csv")
    records = JobKind.records | {"score.batch", "score.one", "grade.released", "report.issued"}
    model_param = "model"

    def __init__(self, form: str) -> None:
        self.form = form

    def discloses(self, terms: Terms) -> Pairs:
        return frozenset(
            [
                *(("set_sizes", helper) for helper in terms.helpers),
                *(("intersection", party) for party in terms.party_ids()),
                *((self.form, party) for party in terms.recipients(self.form)),
                *(("grades", party) for party in _graded(terms)),
                *(("reason_codes", party) for party in terms.recipients("reason_codes")),
                *(("query", party) for party in terms.party_ids() if terms.features_of(party)),
            ]
        )

    def refuses(self, terms: Terms, params: Mapping[str, Any]) -> list[str]:
        reasons = [
            f"the contract knows no parameter {name!r}" for name in sorted(set(params) - _SCORE_PARAMS)
        ]
        mode, rows, model = params.get("mode", "batch"), _rows(params), params.get("model", "")
        if mode not in ("batch", "one") or f"score_{mode}" not in terms.uses:
            reasons.append("the contract does not name this mode of scoring among its uses")
        if not isinstance(model, str) or not _MODEL.fullmatch(model):
            reasons.append("the parameter 'model' is not the id of a model")
        if not rows:
            return [*reasons, "the parameter 'rows' must be a number of rows, and 1 to score one enterprise"]
        return reasons + _refused_reasons(terms, params, rows)

    def uses_up(self, params: Mapping[str, Any]) -> Usage:
        return Usage(scores_today=_rows(params))

    def asked_by(self, terms: Terms) -> str:
        """The recipient: the label holder, or else the first that the contract names."""
        recipients = _graded(terms) or terms.recipients(self.form)
        return terms.label_holder if terms.label_holder in recipients else recipients[0]


def _graded(terms: Terms) -> tuple[str, ...]:
    """The parties that learn grades and no score."""
    return terms.recipients(GRADE_ONLY)


def _rows(params: Mapping[str, Any]) -> int:
    """How many rows a score job asks for; 0 if that is no number of rows."""
    rows, is_one = params.get("rows", 1), params.get("mode") == "one"
    return rows if type(rows) is int and rows >= 1 and not (is_one and rows != 1) else 0


def _refused_reasons(terms: Terms, params: Mapping[str, Any], rows: int) -> list[str]:
    """Why reason codes cannot be asked for."""
    codes = params.get("reasons", 0)
    if type(codes) is not int or not 0 <= codes <= MOST_REASONS:
        return [f"the parameter 'reasons' is a number from 0 to {MOST_REASONS}"]
    if not codes:
        return []
    reasons = [] if terms.recipients("reason_codes") else [_NO_RECIPIENT]
    if rows > MOST_ROWS_WITH_REASONS:
        reasons.append(f"reason codes are given for at most {MOST_ROWS_WITH_REASONS} enterprises at once")
    return reasons
