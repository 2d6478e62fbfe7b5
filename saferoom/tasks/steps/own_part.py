"""Before scores are released: how much of its own part a party would show, held against its policy.

The figures stand in the job's facts at this party alone. Where columns could be told from scores, or the
policy forbids it, the log says so; the others hear of a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError
from saferoom.jobs.context import JobContext
from saferoom.models.shown import Shown, every, shown_by_grades
from saferoom.tasks.base import Model
from saferoom.tasks.steps.grades import releases_grades_alone, rule_of


def check_part(context: JobContext, model: Model, rows: PartyTable, recipients: Iterable[str]) -> None:
    """As `check_shown`, of the own part that a model makes of rows; of many, every so-manieth is counted."""
    some = rows.take(np.arange(0, len(rows), every(len(rows))))
    shown = model.shown(some, context.contract)
    if releases_grades_alone(context):
        shown = shown_by_grades(shown, len(rule_of(context).names))
    check_shown(context, shown, recipients)


def check_shown(context: JobContext, shown: Shown, recipients: Iterable[str]) -> None:
    """Note what a release shows others of the own part. Raises RefusedError if that is too much."""
    if set(recipients) <= {context.me}:
        return
    context.facts |= {
        "part_values": shown.values,
        "part_bits": round(shown.holds, 2),
        "shown_bits": round(shown.shows, 2),
        "tells_columns": shown.tells_columns,
    }
    problem = _problem(context, shown)
    if problem or shown.tells_columns:
        outcome = "refused" if problem else "allowed"
        reason = problem or "columns can be told from what scores show of our part of them"
        context.daemon.record("release.counted", outcome=outcome, rows=shown.rows, reason=reason)
    if problem:
        raise RefusedError(
            problem,
            party=context.me,
            step="own part",
            remedy="agree on a coarser score_step or on another form of release, or change policy.yaml there",
        )


def _problem(context: JobContext, shown: Shown) -> str:
    """Why the policy forbids it; the figures themselves are nobody else's business."""
    bits, share = context.spec.max_bits_shown, context.spec.max_share_shown
    if shown.shows > bits:
        return f"a score would show more than {bits:g} bits of our part of it: our policy's max_bits_shown"
    if shown.share > share:
        return f"a score would show more than {share:g} of what our part of it holds: our max_share_shown"
    return ""
