"""Joint logistic regression over parties that hold different columns of the same rows, in assisted mode.

    parties   trained = train_logistic(...)  →  release(session, trained)  →  evaluate(session, trained, test)
    helper    side = deal_logistic(...)         covers both                 →  deal_evaluation(side)

The last is left out where nobody may learn scores, and of models that are not the last of their job.

The model is scikit-learn's LogisticRegression(C=1/l2) on the pooled columns. Weights stay shared until
`release`, which gives each party the coefficients of its own columns, and the label holder the intercept.
Training ends in an error where it cannot be shown, on shares, that the fit has converged (`checks`).
docs/protocols/logistic.md tells the whole protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.channel.session import Session
from saferoom.models.logistic.fit import TrainingRows, deal_fit, fit
from saferoom.models.logistic.input import agree_seed, agree_sizes, check_input
from saferoom.models.logistic.passes import (
    PENALTY_BITS,
    WEIGHT_BITS,
    DealerSide,
    MaskedRows,
    PartySide,
    unit_bits,
)
from saferoom.models.logistic.plan import BLOCK_ROWS, WIDE, LogisticSettings, Plan, Scales, make_plan
from saferoom.models.logistic.scores import SCORE_BITS, deal_scores_of, share_scores
from saferoom.models.logistic.whitening import Whitening, fit_whitening
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns, JointForm
from saferoom.protocols.private_matrix import deal_columns, mask_columns
from saferoom.protocols.rounded_release import release_rounded
from saferoom.protocols.squares import deal_squares, mask_squares
from saferoom.ring.fixed import decode, encode, without_low_bits
from saferoom.ring.prg import random_rows
from saferoom.sharing.values import Share

_ORIGIN = Scales(64, 15, 20)  # of the row whose score is the intercept: as fine as scores leave room for
RELEASED_BITS = 20
"""Fractional bits of what is released: weights and the intercept."""

Progress: TypeAlias = Callable[[str, int, int], None]

_MOST_BLOCK = (120.0, BLOCK_ROWS)  # 120 · 2**(8 + 15) · 1.05 < 2**30: a block's sum cannot wrap


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trained:
    """A model that has passed all checks, still shared: one party's state between training and release.

    scores: shares of the training rows' joint scores, (n,) at SCORE_BITS. passes: as many as it took.
    """

    party: PartySide
    label_holder: str
    weights: Share
    whitening: Whitening
    scores: Share
    passes: int


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """Joint scores, at the label holder: train (n,), test (m,)."""

    train: F64
    test: F64


@dataclass(frozen=True, slots=True, eq=False)
class LocalModel:
    """What one party takes home: coefficients (c,) of its own columns; intercept at the label holder."""

    coefficients: F64
    intercept: float | None


def _silent(phase: str, done: int, total: int) -> None:
    del phase, done, total


def train_logistic(
    session: Session,
    features: F64,
    labels: F64 | None,
    settings: LogisticSettings,
    *,
    label_holder: str,
    progress: Progress = _silent,
) -> Trained:
    """Train jointly; every party calls this, and the helper `deal_logistic`.

    features: (n, c) float64, finite, prepared (winsorised, imputed, standardised or one-hot), rows in the
    common order; c >= 0 at the label holder, >= 1 elsewhere. labels: (n,) of 0 and 1 at the label holder,
    None elsewhere. progress(phase, done, total) is called between passes. Raises UsageError or
    VerificationError for wrong input, PeerError for a silent or lying peer.
    """
    check_input(session, features, labels, label_holder)
    with session.scope("train"):
        rows, layout = agree_sizes(session, features.shape, label_holder)
        plan = make_plan(rows, layout.columns, settings)
        order = random_rows(agree_seed(session), rows, plan.subset_rows)
        side = PartySide(session, receive_seed(session), layout, plan)
        whitening = _whiten(features, settings, plan, order, intercept=session.me == label_holder)
        brought = _Brought(features, labels, whitening)
        subset = order if plan.parted else np.arange(rows)
        small = _training_rows(side, "subset", brought.take(subset), WIDE)
        everything = _training_rows(side, "all rows", brought, plan.scales) if plan.parted else small
        done = _Done(plan, progress)
        rows_of = TrainingRows(small, everything, lambda at: _training_rows(side, "all rows", brought, at))
        fitted = fit(side, rows_of, whitening, _start(side, labels), done.tick)
        return Trained(side, label_holder, fitted.weights, whitening, fitted.scores, done.passes)


class _Done:
    """Counts passes. How many there will be is known until the first check fails."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.passes = 0
        self._planned, self._progress = plan.passes, progress

    def tick(self) -> None:
        self.passes += 1
        self._progress("train", self.passes, max(self._planned, self.passes))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Brought:
    """What a party trains on: features (n, c) and their whitening; labels (n,) at the label holder."""

    features: F64
    labels: F64 | None
    whitening: Whitening

    def take(self, rows: NDArray[np.intp]) -> _Brought:
        labels = None if self.labels is None else self.labels[rows]
        return _Brought(self.features[rows], labels, self.whitening)


def deal_logistic(
    session: Session,
    settings: LogisticSettings,
    *,
    label_holder: str,
    progress: Progress = _silent,
) -> DealerSide:
    """The helper's side of training and release: it learns sizes, and what all learn of the checks."""
    with session.scope("train"):
        rows, layout = agree_sizes(session, None, label_holder)
        plan = make_plan(rows, layout.columns, settings)
        side = DealerSide(session, deal_seeds(session), layout, plan)
        small = _deal_training_rows(side, "subset", plan.subset_rows, WIDE)
        everything = _deal_training_rows(side, "all rows", rows, plan.scales) if plan.parted else small
        rows_of = TrainingRows(small, everything, lambda at: _deal_training_rows(side, "all rows", rows, at))
        deal_fit(side, rows_of, _Done(plan, progress).tick)
    with session.scope("release"):
        deal_scores_of(side, "origin", _deal_rows(side, "origin", 1, _ORIGIN))
    return side


def deal_evaluation(side: DealerSide) -> None:
    """The helper's side of `evaluate`."""
    with side.session.scope("evaluate"):
        deal_scores(side)


def scores_of(session: Session, trained: Trained, features: F64) -> Share:
    """Shares of the joint scores of other rows: (m,) uint64 at SCORE_BITS, modulo 2**64; nothing is told.

    features: (m, c) float64, m >= 0 the same at all parties. The helper calls `deal_scores`.
    """
    rows, _ = agree_sizes(session, features.shape, trained.label_holder)
    if not rows:
        return Share(np.zeros(0, dtype=np.uint64), SCORE_BITS)
    side = trained.party
    columns = _share_rows(side, "test", features, trained.whitening, side.plan.scales)
    return share_scores(side, "test", columns, trained.weights)


def deal_scores(side: DealerSide) -> None:
    """The helper's side of `scores_of`."""
    rows, _ = agree_sizes(side.session, None, "")
    if rows:
        deal_scores_of(side, "test", _deal_rows(side, "test", rows, side.plan.scales))


def evaluate(session: Session, trained: Trained, test_features: F64, step: float) -> Logits | None:
    """Reveal the scores of training and test rows to the label holder, rounded by chance to a step.

    test_features: (m, c) float64, m >= 0 the same at all parties. step: in log-odds.
    Gives Logits at the label holder, None elsewhere. Discloses "score" to the label holder.
    """
    with session.scope("evaluate"):
        shares = {"train": trained.scores, "test": scores_of(session, trained, test_features)}
        shown = {
            name: release_rounded(
                session, f"{name}/reveal", share, trained.label_holder, step=step, kind="score"
            )
            for name, share in shares.items()
            if share.shape[0]
        }
    if session.me != trained.label_holder:
        return None
    found = {name: scores for name, scores in shown.items() if scores is not None}
    return Logits(*(found.get(name, np.zeros(0)) for name in shares))


def release(session: Session, trained: Trained) -> LocalModel:
    """Reveal to each party the weights of its own columns, and the intercept to the label holder.

    Discloses "coefficients" to each party that has columns, "intercept" to the label holder.
    """
    layout, white = trained.party.layout, trained.whitening
    own: F64 = np.zeros(0)
    with session.scope("release"):
        # The intercept is the score of the origin of the original columns: a row that every party can mask.
        origin = np.zeros((1, len(white.mean)))
        row = _share_rows(trained.party, "origin", origin, white, _ORIGIN)
        score = _coarse(share_scores(trained.party, "origin", row, trained.weights))
        intercept = session.reveal("origin/reveal", trained.label_holder, score, kind="intercept")
        for party in session.parties:
            width = layout.widths[party] - (party == trained.label_holder)
            if width:
                start = layout.span(party).start
                weights = _coarse(trained.weights[start : start + width])
                shown = session.reveal(f"coefficients/{party}", party, weights, kind="coefficients")
                own = own if shown is None else decode(shown, WEIGHT_BITS)
    return LocalModel(
        white.coefficients(own), None if intercept is None else float(decode(intercept, SCORE_BITS)[0])
    )


def _coarse(share: Share) -> Share:
    """For release: what stands below RELEASED_BITS is noise, and tells of the shares' own low bits."""
    return Share(without_low_bits(share.value, share.frac_bits - RELEASED_BITS), share.frac_bits)


def _whiten(
    features: F64, settings: LogisticSettings, plan: Plan, order: NDArray[np.intp], *, intercept: bool
) -> Whitening:
    samples = [features[order[:size]] for size in plan.samples]
    most = _MOST_BLOCK if plan.scales.word_bits == 32 else None
    return fit_whitening(features, settings.l2, intercept=intercept, samples=samples, most=most)


def _training_rows(side: PartySide, label: str, brought: _Brought, scales: Scales) -> MaskedRows:
    features, white, labels = brought.features, brought.whitening, brought.labels
    columns = _share_rows(side, label, features, white, scales)
    penalty = encode(white.penalty * (len(features) / 2 ** unit_bits(len(features))), PENALTY_BITS)
    squares = mask_squares(
        side.session, side.randomness, f"penalty of {label}", side.layout, penalty, PENALTY_BITS
    )
    return MaskedRows(columns, scales, squares, None if labels is None else labels - 0.5)


def _deal_training_rows(side: DealerSide, label: str, rows: int, scales: Scales) -> MaskedRows:
    columns = _deal_rows(side, label, rows, scales)
    squares = deal_squares(side.dealer, side.session, f"penalty of {label}", side.layout, PENALTY_BITS)
    return MaskedRows(columns, scales, squares)


def _share_rows(side: PartySide, label: str, features: F64, white: Whitening, scales: Scales) -> JointColumns:
    form = _form(side.layout, len(features), scales)
    return mask_columns(
        side.session,
        side.randomness,
        label,
        form,
        lambda chunk: encode(white.apply(features[chunk]), form.frac_bits, form.dtype),
    )


def _deal_rows(side: DealerSide, label: str, rows: int, scales: Scales) -> JointColumns:
    return deal_columns(side.dealer, side.session, label, _form(side.layout, rows, scales))


def _form(layout: ColumnLayout, rows: int, scales: Scales) -> JointForm:
    return JointForm(layout, rows, scales.feature_bits, scales.word_bits)


def _start(side: PartySide, labels: F64 | None) -> Share:
    """Shares of zero weights, but for the constant column (2.0): the log odds of the default rate."""
    u = np.zeros(side.layout.columns)
    if labels is not None:
        rate = labels.mean()
        u[side.layout.span(side.session.me).stop - 1] = np.log(rate / (1 - rate)) / 2
    return Share(encode(u, WEIGHT_BITS), WEIGHT_BITS)
