"""Joint logistic regression over parties that hold different columns of the same rows, in assisted mode.

    parties   trained = train_logistic(...)   →   evaluate(session, trained, test)   →   release(session,
    trained)
    helper    deal_logistic(...)              covers all three

The model is scikit-learn's LogisticRegression(C=1/l2) on the pooled columns. Weights stay shared until
`release`, which gives each party the coefficients of its own columns, and the label holder the intercept; and
it refuses before `evaluate` found that the scores lie where the sigmoid's series holds.
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
from saferoom.errors import ProtocolError
from saferoom.models.logistic.input import agree_seed, agree_sizes, check_input
from saferoom.models.logistic.passes import (
    WEIGHT_BITS,
    DealerSide,
    MaskedRows,
    PartySide,
    curvature_pass,
    deal_curvature_pass,
    deal_gradient_pass,
    gradient_pass,
    penalty_bits,
    unit_bits,
)
from saferoom.models.logistic.plan import BLOCK_ROWS, WIDE, LogisticSettings, Plan, Scales, make_plan
from saferoom.models.logistic.verdict import exchange_verdict, judge
from saferoom.models.logistic.whitening import Whitening, fit_whitening
from saferoom.models.logistic.wide import deal_fit_wide, fit_wide
from saferoom.protocols.dealing import DealingPace, deal_seeds, receive_seed
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns, JointForm
from saferoom.protocols.private_matrix import (
    deal_columns,
    deal_forward,
    deal_to_owners,
    forward,
    mask_columns,
    open_to_owners,
)
from saferoom.protocols.squares import deal_squares, mask_squares
from saferoom.ring.fixed import decode, encode
from saferoom.ring.prg import random_rows
from saferoom.sharing.values import Share

Progress: TypeAlias = Callable[[str, int, int], None]

_MOST_BLOCK = (480.0, BLOCK_ROWS)  # 480 · 2**(8 + 13) · 1.05 < 2**30: a block's sum cannot wrap


@dataclass(slots=True, eq=False, repr=False)
class Trained:
    """A trained model, still shared: one party's state between training and release."""

    party: PartySide
    label_holder: str
    weights: Share
    whitening: Whitening
    columns: JointColumns
    labels: F64 | None
    in_range: bool = False


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
        everything = _training_rows(side, "all rows", brought, plan.full_scales) if plan.parted else small
        u = _fit(side, small, everything, whitening, _start(side, labels), progress)
        return Trained(side, label_holder, u, whitening, everything.columns, labels)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Brought:
    """What a party trains on: features (n, c) and their whitening; labels (n,) at the label holder."""

    features: F64
    labels: F64 | None
    whitening: Whitening

    def take(self, rows: NDArray[np.intp]) -> _Brought:
        labels = None if self.labels is None else self.labels[rows]
        return _Brought(self.features[rows], labels, self.whitening)


def _fit(
    side: PartySide,
    small: MaskedRows,
    everything: MaskedRows,
    whitening: Whitening,
    u: Share,
    progress: Progress,
) -> Share:
    """Weights (d,) from the start `u`, by all the passes of the plan."""
    s, plan = side.session, side.plan
    if plan.acceleration:
        ridge = whitening.ridge(plan.subset_rows)
        u = fit_wide(side, small, everything, ridge, u, lambda n: progress("train", n + 1, plan.passes))
    done = 0
    for number, step in enumerate(plan.newton):
        with s.scope(f"newton={number}"):
            v, u = curvature_pass(side, small, whitening.ridge(step.rows), step, u)
            for extra in range(1, step.passes):
                with s.scope(f"pass={extra}"):
                    u = gradient_pass(side, small, plan.subset_series, v, u)
        done += step.passes
        side.randomness.tell_pass()
        progress("train", done, plan.passes)
    for number, planned in enumerate(plan.full):
        with s.scope(f"pass={number}"):
            u = gradient_pass(side, everything, planned.series, v, u, planned.stride)
        done += 1
        side.randomness.tell_pass()
        progress("train", done, plan.passes)
    return u


def deal_logistic(
    session: Session, settings: LogisticSettings, *, label_holder: str, progress: Progress = _silent
) -> None:
    """The helper's side of `train_logistic`, `evaluate` and `release`, in that order.

    It learns sizes only.
    """
    with session.scope("train"):
        rows, layout = agree_sizes(session, None, label_holder)
        plan = make_plan(rows, layout.columns, settings)
        side = DealerSide(session, deal_seeds(session), layout, plan)
        columns = _deal_fit(side, progress)
    with session.scope("evaluate"):
        _deal_evaluation(side, columns)
    with session.scope("release"):
        _deal_scores_of(side, "origin", _deal_rows(side, "origin", 1, WIDE))


def _deal_fit(side: DealerSide, progress: Progress) -> JointColumns:
    s, plan = side.session, side.plan
    small = _deal_training_rows(side, "subset", plan.subset_rows, WIDE)
    everything = _deal_training_rows(side, "all rows", plan.rows, plan.full_scales) if plan.parted else small
    done, pace = 0, DealingPace(s)
    if plan.acceleration:
        deal_fit_wide(side, small, everything, pace, lambda n: progress("train", n + 1, plan.passes))
    for number, step in enumerate(plan.newton):
        pace.wait()
        with s.scope(f"newton={number}"):
            v = deal_curvature_pass(side, small, step)
            for extra in range(1, step.passes):
                with s.scope(f"pass={extra}"):
                    deal_gradient_pass(side, small, plan.subset_series, v)
        done += step.passes
        progress("train", done, plan.passes)
    for number, planned in enumerate(plan.full):
        pace.wait()
        with s.scope(f"pass={number}"):
            deal_gradient_pass(side, everything, planned.series, v)
        done += 1
        progress("train", done, plan.passes)
    pace.finish()
    return everything.columns


def evaluate(session: Session, trained: Trained, test_features: F64) -> Logits | None:
    """Reveal the scores of training and test rows to the label holder, who checks them and tells the others.

    test_features: (m, c) float64, m >= 0 the same at all parties. Gives Logits at the label holder, None
    elsewhere. Discloses "score" to the label holder and "range_check" to the others. Raises ProtocolError at
    every party if the scores lie outside the range in which the sigmoid holds, or if the label holder sees
    that the fit did not converge: then `release` refuses.
    """
    with session.scope("evaluate"):
        test_rows, _ = agree_sizes(session, test_features.shape, trained.label_holder)
        shown = [_reveal_scores(trained, "train", trained.columns)]
        if test_rows:
            test = _share_rows(
                trained.party, "test", test_features, trained.whitening, trained.party.plan.full_scales
            )
            shown.append(_reveal_scores(trained, "test", test))
        verdict = exchange_verdict(session, trained.label_holder, _own_verdict(trained, shown[0]))
    if verdict:
        raise verdict
    trained.in_range = True
    if shown[0] is None:
        return None
    return Logits(shown[0], shown[1] if test_rows and shown[1] is not None else np.zeros(0))


def _deal_evaluation(side: DealerSide, columns: JointColumns) -> None:
    rows, _ = agree_sizes(side.session, None, "")
    _deal_scores_of(side, "train", columns)
    if rows:
        scales = side.plan.full_scales
        _deal_scores_of(side, "test", _deal_rows(side, "test", rows, scales))


def release(session: Session, trained: Trained) -> LocalModel:
    """Reveal to each party the weights of its own columns, and the intercept to the label holder.

    Discloses "coefficients" to each party that has columns, "intercept" to the label holder. Raises
    ProtocolError if `evaluate` was not called or refused.
    """
    if not trained.in_range:
        raise ProtocolError("no release before the scores were evaluated and found in range", step="release")
    layout, white = trained.party.layout, trained.whitening
    own: F64 = np.zeros(0)
    with session.scope("release"):
        # The intercept is the score of the origin of the original columns: a row that every party can mask.
        origin = np.zeros((1, len(white.mean)))
        row = _share_rows(trained.party, "origin", origin, white, WIDE)
        intercept = _reveal_scores(trained, "origin", row, kind="intercept")
        for party in session.parties:
            width = layout.widths[party] - (party == trained.label_holder)
            if width:
                start = layout.span(party).start
                weights = trained.weights[start : start + width]
                shown = session.reveal(f"coefficients/{party}", party, weights, kind="coefficients")
                own = own if shown is None else decode(shown, WEIGHT_BITS)
    return LocalModel(white.coefficients(own), None if intercept is None else float(intercept[0]))


def _whiten(
    features: F64, settings: LogisticSettings, plan: Plan, order: NDArray[np.intp], *, intercept: bool
) -> Whitening:
    samples = [features[order[:size]] for size in plan.samples]
    most = _MOST_BLOCK if plan.full_scales.word_bits == 32 else None
    return fit_whitening(features, settings.l2, intercept=intercept, samples=samples, most=most)


def _training_rows(side: PartySide, label: str, brought: _Brought, scales: Scales) -> MaskedRows:
    features, white, labels = brought.features, brought.whitening, brought.labels
    columns = _share_rows(side, label, features, white, scales)
    bits = penalty_bits(side.plan)
    penalty = encode(white.penalty * (len(features) / 2 ** unit_bits(len(features))), bits)
    squares = mask_squares(side.session, side.randomness, f"penalty of {label}", side.layout, penalty, bits)
    return MaskedRows(columns, scales, squares, None if labels is None else labels - 0.5)


def _deal_training_rows(side: DealerSide, label: str, rows: int, scales: Scales) -> MaskedRows:
    columns = _deal_rows(side, label, rows, scales)
    bits = penalty_bits(side.plan)
    squares = deal_squares(side.dealer, side.session, f"penalty of {label}", side.layout, bits)
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


def _reveal_scores(trained: Trained, name: str, columns: JointColumns, kind: str = "score") -> F64 | None:
    side, u = trained.party, trained.weights
    s, drop = side.session, _reveal_drop(columns)
    with s.scope(name):
        opened = open_to_owners(s, side.randomness, "weights", side.layout, u)
        z = forward(s, side.randomness, "scores", columns, opened, drop)
        shown = s.reveal("reveal", trained.label_holder, _whole(z, drop), kind=kind)
    return None if shown is None else decode(shown, _whole(z, drop).frac_bits)


def _whole(z: Share, drop: int) -> Share:
    """Shares of z that add up to nothing but z.

    Wide products are right mod 2**(64 - drop) only. The bits above hold the features times the number of
    times that the weights' shares wrapped: a second score that nobody may learn. Shifting up by `drop`
    removes them.
    """
    if z.value.dtype == np.uint32:
        return z
    return Share(z.value << np.uint64(drop), z.frac_bits + drop)


def _deal_scores_of(side: DealerSide, name: str, columns: JointColumns) -> None:
    with side.session.scope(name):
        masks = deal_to_owners(side.dealer, side.session, "weights", side.layout)
        deal_forward(side.dealer, side.session, "scores", columns, masks, _reveal_drop(columns))


def _reveal_drop(columns: JointColumns) -> int:
    """Bits of the weights left out, such that scores up to ±128 come out whole."""
    return WEIGHT_BITS - (16 if columns.dtype == np.uint32 else 20)


def _own_verdict(trained: Trained, scores: F64 | None) -> int | None:
    if scores is None or trained.labels is None:
        return None
    return judge(scores, trained.labels, trained.party.plan.reach)
