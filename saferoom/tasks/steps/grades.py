"""Grades alone: each recipient learns between which cuts a joint score lies, and nobody learns the score.

    party    its own part of the credit of each row, in whole units         `Model.credit`
    all      shares of "the sum is below this cut", for each cut            `protocols.comparison`
    reveal   those bits, to each recipient: the grade, as a place in the scheme

Public cuts stand in the contract. Cuts of the label holder's own stand in its `grades.yaml` until it trains a
model, and then beside the model, for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from saferoom.arrays import I64, Mask
from saferoom.data.table import PartyTable
from saferoom.errors import ConfigError, PeerError, UsageError
from saferoom.jobs.context import JobContext
from saferoom.kinds.grading import GRADE_ONLY, GradeRule
from saferoom.protocols.comparison import deal_below, deal_below_own, share_below, share_below_own
from saferoom.protocols.dealing import Dealer, deal_seeds, receive_seed
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.ranked_pairs import deal_pairs, reveal_pairs
from saferoom.protocols.shared_bits import reveal_bits
from saferoom.scoring.grade_cuts import MOST_CREDIT
from saferoom.scoring.grades import GradeScheme
from saferoom.sharing.values import Public, Share
from saferoom.tasks.base import Model

MOST_ROWS = 1 << 32


class GradedRows(Protocol):
    """Rows of a training job; `scheme` at the label holder."""

    @property
    def table(self) -> PartyTable: ...

    @property
    def is_train(self) -> Mask: ...

    @property
    def scheme(self) -> GradeScheme | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """What the label holder knows of all rows of a training job; the others nothing.

    grades (n,), places in the scheme; the AUC of training and of held-out rows, None if a class is missing.
    """

    grades: I64 | None = None
    train_auc: float | None = None
    test_auc: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Credit:
    """This party's part of the credit of each row (n,), and its end of what is dealt about it."""

    share: Share
    randomness: Randomness


def releases_grades_alone(context: JobContext) -> bool:
    """Whether the contract gives grades, and no scores."""
    return bool(context.contract.recipients(GRADE_ONLY))


def rule_of(context: JobContext) -> GradeRule:
    """The contract's rule. Raises ConfigError if it has none; one that releases grades alone has."""
    if context.contract.grading is None:
        raise ConfigError("the contract says nothing of grades", remedy="agree on one with the term grading")
    return context.contract.grading


def agreed_scheme(rule: GradeRule, own: GradeScheme) -> GradeScheme:
    """The contract's cuts with the words of the label holder's own scheme, or that itself where it has none.

    Raises ConfigError if the own scheme does not fit the contract.
    """
    agreed = rule.scheme()
    if agreed is None:
        return _checked(rule, own)
    words = {grade.name: grade for grade in own.grades}
    grades = tuple(
        replace(words[grade.name], cut=grade.cut) if grade.name in words else grade for grade in agreed.grades
    )
    if (own.by, own.names, own.cuts) == (agreed.by, agreed.names, agreed.cuts):
        return own
    return replace(agreed, grades=grades)


def _checked(rule: GradeRule, own: GradeScheme) -> GradeScheme:
    if own.names != rule.names:
        raise ConfigError(
            "the grades of grades.yaml are not those of the contract, by name and order",
            remedy=f"name them {', '.join(rule.names)}",
        )
    if own.by == "shares":
        raise ConfigError(
            "a scheme of target shares is cut on scores, and under this contract nobody learns them",
            remedy="give cuts by pd or by points in grades.yaml",
        )
    return own


def share_credit(context: JobContext, model: Model, rows: PartyTable) -> Credit:
    """This party's part, and randomness for what is done with all parties'. All call it, in one scope."""
    session, credit = context.session, model.credit(rows)
    most = MOST_CREDIT // len(session.parties)
    if not np.all((-most < credit) & (credit < most)):
        raise UsageError(
            "a part of the score is far too large to be graded", remedy="check the model's columns"
        )
    if context.me == context.contract.label_holder:
        for helper in session.helpers:
            session.send(helper, "rows", Public(np.array([len(rows)], dtype=np.int64)))
    return Credit(Share(credit.astype(np.uint32), 0), receive_seed(session))


def help_credit(context: JobContext) -> tuple[Dealer, int]:
    """The helper's side: it learns how many rows there are."""
    session, holder = context.session, context.contract.label_holder
    rows = int(session.receive_one(holder, "rows", (1,), np.int64)[0])
    if not 0 <= rows < MOST_ROWS:
        raise PeerError(f"expected at most {MOST_ROWS} rows", party=holder, step=session.step("rows"))
    return deal_seeds(session), rows


def joint_grades(
    context: JobContext, model: Model, credit: Credit, scheme: GradeScheme | None, to: Iterable[str]
) -> I64 | None:
    """Grades (n,) at each party of `to`, as places in the scheme, 0 = best; None elsewhere.

    scheme: at the label holder; elsewhere None, if only the contract's cuts are known, or none.
    """
    session, rule, rows = context.session, rule_of(context), len(credit.share.value)
    public = rule.scheme()
    if public is not None:
        bits = share_below(session, credit.randomness, "below", credit.share, model.thresholds(public))
    else:
        own = model.thresholds(scheme) if scheme and context.me == context.contract.label_holder else None
        bits = share_below_own(session, credit.randomness, "below", credit.share, own, len(rule.names) - 1)
    shown = [
        reveal_bits(session, f"grade/{party}", party, bits, kind="grades", shape=(rows,)) for party in to
    ]
    found = [bits for bits in shown if bits is not None]
    if not found:
        return None
    return np.asarray(np.unpackbits(found[0], axis=1, count=rows).sum(axis=0, dtype=np.int64))


def help_grades(context: JobContext, dealer: Dealer, rows: int) -> None:
    """The helper's side of `joint_grades`."""
    rule = rule_of(context)
    deal = deal_below if rule.scheme() is not None else deal_below_own
    deal(dealer, context.session, "below", rows, len(rule.names) - 1)


def grade_training_rows(context: JobContext, model: Model, rows: GradedRows) -> Graded:
    """Grades of training and held-out rows, and how well the scores part the classes: at the label holder."""
    session, holder = context.session, context.contract.label_holder
    with context.phase("grades"), session.scope("grades"):
        credit = share_credit(context, model, rows.table)
        grades = joint_grades(context, model, credit, rows.scheme, [holder])
        parts = {"train": rows.is_train, "test": ~rows.is_train}
        found = {name: _auc(context, model, credit, rows, name, part) for name, part in parts.items()}
    return Graded(grades, found["train"], found["test"])


def help_grade_training_rows(context: JobContext, grid: int) -> None:
    """The helper's side. `grid`: of how many cuts the model's is."""
    session, holder = context.session, context.contract.label_holder
    with context.phase("grades"), session.scope("grades"):
        dealer, rows = help_credit(context)
        help_grades(context, dealer, rows)
        for name in ("train", "test"):
            with session.scope(name):
                count = int(session.receive_one(holder, "rows", (1,), np.int64)[0])
                if not 0 <= count <= rows:
                    raise PeerError(f"expected at most {rows} rows", party=holder, step=session.step("rows"))
                if count:
                    deal_pairs(dealer, session, count, grid)


def _auc(
    context: JobContext, model: Model, credit: Credit, rows: GradedRows, name: str, part: Mask
) -> float | None:
    """The AUC of the rows of `part` (n,), at the label holder."""
    session, holder = context.session, context.contract.label_holder
    events = None if rows.table.label is None else rows.table.label[part] == 1
    with session.scope(name):
        if context.me == holder:
            for helper in session.helpers:
                session.send(helper, "rows", Public(np.array([part.sum()], dtype=np.int64)))
        if not part.any():
            return None
        own = events if context.me == holder else None
        twice = reveal_pairs(
            session, credit.randomness, credit.share[part], model.grid(), own, label_holder=holder
        )
    if twice is None or events is None or events.all() or not events.any():
        return None
    return twice / (2.0 * int(events.sum()) * int((~events).sum()))
