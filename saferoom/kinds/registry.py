"""All kinds of task that this version knows: one line each.

The tuple is explicit, so that the closed vocabulary of contracts and the log's digest of the software stay
true: nothing is added by being installed or imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from saferoom.errors import UsageError
from saferoom.kinds import boosting, logistic, scorecard
from saferoom.kinds.base import TaskKind, Texts

KINDS: tuple[TaskKind, ...] = (
    logistic.KIND,
    scorecard.KIND,
    boosting.KIND,
)

_USUAL_FORMS = ("coefficients", "splits", "score", "points", "grade_only", "reason_codes")
_USUAL_ROLES = ("label_holder", "feature_holder")
_USUAL_USES = ("train", "score_batch", "score_one", "grade")


def kind_of(name: str) -> TaskKind:
    """The kind of that name. Raises UsageError if this version knows none."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise UsageError(f"this version knows no task of kind {name!r}", remedy="update this node")


def kind_names() -> tuple[str, ...]:
    return tuple(kind.name for kind in KINDS)


def job_names() -> tuple[str, ...]:
    """Kinds of job, of all kinds of task."""
    return _distinct(job.name for kind in KINDS for job in kind.jobs)


def form_names() -> tuple[str, ...]:
    """Release forms."""
    return _distinct([*_USUAL_FORMS, *(form for kind in KINDS for form in sorted(kind.forms))])


def role_names() -> tuple[str, ...]:
    return _distinct([*_USUAL_ROLES, *(role for kind in KINDS for role in kind.roles)])


def use_names() -> tuple[str, ...]:
    """What a contract may allow: kinds of job, and `grade`, which is done with what a job has left."""
    return _distinct([*_USUAL_USES, *(use for kind in KINDS for job in kind.jobs for use in job.uses)])


def title_of(name: str) -> Texts:
    """English and Chinese; the name itself if it is a newer version's."""
    return next((kind.title for kind in KINDS if kind.name == name), (name, name))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _one_of(names: Callable[[], tuple[str, ...]]) -> BeforeValidator:
    def check(value: Any) -> Any:
        known = names()
        if value not in known:
            *first, last = (repr(name) for name in known)
            raise ValueError(f"Input should be {', '.join(first)} or {last}")
        return value

    return BeforeValidator(check)


KindName = Annotated[str, _one_of(kind_names)]
FormName = Annotated[str, _one_of(form_names)]
RoleName = Annotated[str, _one_of(role_names)]
UseName = Annotated[str, _one_of(use_names)]
