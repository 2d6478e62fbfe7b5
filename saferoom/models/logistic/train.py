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

from saferoom.channel.session import Session
from saferoom.errors import ProtocolError
from saferoom.models.logistic.input import Pace, agree_seed, agree_sizes, check_input, tell_pace
from saferoom.models.logistic.passes import (
    WEIGHT_BITS,
    Helper,
    Party,
    Rows,
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
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.private_matrix import (
    JointColumns,
    deal_columns,
    deal_forward,
    deal_vector,
    forward,
    mask_columns,
    open_to_owners,
)
from saferoom.protocols.squares import deal_squares, mask_squares
from saferoom.ring.fixed import decode, encode
from saferoom.ring.prg import random_rows
from saferoom.sharing.values import Share

F64: TypeAlias = NDArray[np.float64]
Progress: TypeAlias = Callable[[str, int, int], None]

_MOST_BLOCK = (480.0, BLOCK_ROWS)  # 480 · 2**(8 + 13) · 1.05 < 2**30: a block's sum cannot wrap


@dataclass(slots=True, eq=False, repr=False)
class Trained:
    """A trained model, still shared: one party's state between training and release."""

    party: Party
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
        party = Party(session, receive_seed(session), layout, plan)
        whitening = _whiten(features, settings, plan, order, intercept=session.me == label_holder)
        return _fit(party, features, labels, whitening, order, label_holder, progress)


def _fit(
    party: Party,
    features: F64,
    labels: F64 | None,
    whitening: Whitening,
    order: NDArray[np.intp],
    label_holder: str,
    progress: Progress,
) -> Trained:
    s, plan = party.session, party.plan
    subset = order if plan.parted else np.arange(plan.rows)
    own = None if labels is None else labels[subset]
    small = _training_rows(party, "subset", features[subset], whitening, WIDE, own)
    everything = (
        _training_rows(party, "all rows", features, whitening, plan.full_scales, labels)
        if plan.parted
        else small
    )
    u = _start(party, labels)
    if plan.acceleration:
        u = fit_wide(
            party,
            small,
            everything,
            whitening.ridge(plan.subset_rows),
            u,
            lambda n: progress("train", n + 1, plan.passes),
        )
    done = 0
    for number, step in enumerate(plan.newton):
        with s.scope(f"newton={number}"):
            v, u = curvature_pass(party, small, whitening.ridge(step.rows), step, u)
            for extra in range(1, step.passes):
                with s.scope(f"pass={extra}"):
                    u = gradient_pass(party, small, plan.subset_series, v, u)
        done += step.passes
        tell_pace(s)
        progress("train", done, plan.passes)
    for number, planned in enumerate(plan.full):
        with s.scope(f"pass={number}"):
            u = gradient_pass(party, everything, planned.series, v, u, planned.stride)
        done += 1
        tell_pace(s)
        progress("train", done, plan.passes)
    return Trained(party, label_holder, u, whitening, everything.columns, labels)


def deal_logistic(
    session: Session, settings: LogisticSettings, *, label_holder: str, progress: Progress = _silent
) -> None:
    """The helper's side of `train_logistic`, `evaluate` and `release`, in that order.

    It learns sizes only.
    """
    with session.scope("train"):
        rows, layout = agree_sizes(session, None, label_holder)
        plan = make_plan(rows, layout.columns, settings)
        helper = Helper(session, deal_seeds(session), layout, plan)
        columns = _deal_fit(helper, progress)
    with session.scope("evaluate"):
        _deal_evaluation(helper, columns)
    with session.scope("release"):
        _deal_scores_of(helper, "origin", _deal_rows(helper, "origin", 1, WIDE))


def _deal_fit(helper: Helper, progress: Progress) -> JointColumns:
    s, plan = helper.session, helper.plan
    small = _deal_training_rows(helper, "subset", plan.subset_rows, WIDE)
    everything = (
        _deal_training_rows(helper, "all rows", plan.rows, plan.full_scales) if plan.parted else small
    )
    done, pace = 0, Pace(s)
    if plan.acceleration:
        deal_fit_wide(helper, small, everything, pace, lambda n: progress("train", n + 1, plan.passes))
    for number, step in enumerate(plan.newton):
        pace.wait()
        with s.scope(f"newton={number}"):
            v = deal_curvature_pass(helper, small, step)
            for extra in range(1, step.passes):
                with s.scope(f"pass={extra}"):
                    deal_gradient_pass(helper, small, plan.subset_series, v)
        done += step.passes
        progress("train", done, plan.passes)
    for number, planned in enumerate(plan.full):
        pace.wait()
        with s.scope(f"pass={number}"):
            deal_gradient_pass(helper, everything, planned.series, v)
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


def _deal_evaluation(helper: Helper, columns: JointColumns) -> None:
    rows, _ = agree_sizes(helper.session, None, "")
    _deal_scores_of(helper, "train", columns)
    if rows:
        scales = helper.plan.full_scales
        _deal_scores_of(helper, "test", _deal_rows(helper, "test", rows, scales))


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


def _training_rows(
    party: Party, label: str, features: F64, white: Whitening, scales: Scales, labels: F64 | None
) -> Rows:
    columns = _share_rows(party, label, features, white, scales)
    bits = penalty_bits(party.plan)
    penalty = encode(white.penalty * (len(features) / 2 ** unit_bits(len(features))), bits)
    squares = mask_squares(party.session, party.deals, f"penalty of {label}", party.layout, penalty, bits)
    return Rows(columns, scales, squares, None if labels is None else labels - 0.5)


def _deal_training_rows(helper: Helper, label: str, rows: int, scales: Scales) -> Rows:
    columns = _deal_rows(helper, label, rows, scales)
    bits = penalty_bits(helper.plan)
    squares = deal_squares(helper.dealer, helper.session, f"penalty of {label}", helper.layout, bits)
    return Rows(columns, scales, squares)


def _share_rows(party: Party, label: str, features: F64, white: Whitening, scales: Scales) -> JointColumns:
    dtype = np.uint32 if scales.word_bits == 32 else np.uint64
    return mask_columns(
        party.session,
        party.deals,
        label,
        party.layout,
        len(features),
        lambda chunk: encode(white.apply(features[chunk]), scales.feature_bits, dtype),
        frac_bits=scales.feature_bits,
        dtype=dtype,
    )


def _deal_rows(helper: Helper, label: str, rows: int, scales: Scales) -> JointColumns:
    dtype = np.uint32 if scales.word_bits == 32 else np.uint64
    return deal_columns(
        helper.dealer, helper.session, label, helper.layout, rows, frac_bits=scales.feature_bits, dtype=dtype
    )


def _start(party: Party, labels: F64 | None) -> Share:
    """Shares of zero weights, but for the constant column (2.0): the log odds of the default rate."""
    u = np.zeros(party.layout.columns)
    if labels is not None:
        rate = labels.mean()
        u[party.layout.span(party.session.me).stop - 1] = np.log(rate / (1 - rate)) / 2
    return Share(encode(u, WEIGHT_BITS), WEIGHT_BITS)


def _reveal_scores(trained: Trained, name: str, columns: JointColumns, kind: str = "score") -> F64 | None:
    party, u = trained.party, trained.weights
    s, drop = party.session, _reveal_drop(columns)
    with s.scope(name):
        factors = open_to_owners(s, party.deals, "weights", party.layout, u)
        z = forward(s, party.deals, "scores", columns, factors, u.frac_bits, drop)
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


def _deal_scores_of(helper: Helper, name: str, columns: JointColumns) -> None:
    with helper.session.scope(name):
        masks = deal_vector(helper.dealer, helper.session, "weights", helper.layout)
        deal_forward(helper.dealer, helper.session, "scores", columns, masks, _reveal_drop(columns))


def _reveal_drop(columns: JointColumns) -> int:
    """Bits of the weights left out, such that scores up to ±128 come out whole."""
    return WEIGHT_BITS - (16 if columns.dtype == np.uint32 else 20)


def _own_verdict(trained: Trained, scores: F64 | None) -> int | None:
    if scores is None or trained.labels is None:
        return None
    return judge(scores, trained.labels, trained.party.plan.reach)
