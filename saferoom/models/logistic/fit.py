"""The stages of a plan, until all checks hold: party side and dealer side next to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from saferoom.arrays import F64
from saferoom.models.logistic.checks import (
    Checking,
    DealtChecking,
    deal_turns,
    mask_turns,
)
from saferoom.models.logistic.passes import (
    DealerSide,
    MaskedRows,
    Move,
    PartySide,
    Preconditioner,
    curvature_pass,
    deal_curvature_pass,
    deal_gradient_pass,
    deal_renewal,
    gradient_pass,
    renewal,
    step,
)
from saferoom.models.logistic.plan import CheckedPass, NewtonStep, Plan, Scales, Stage
from saferoom.models.logistic.range_check import deal_is_in_range, is_in_range
from saferoom.models.logistic.scores import deal_scores_of, share_scores
from saferoom.models.logistic.verdict import not_converged, out_of_range, undetermined
from saferoom.models.logistic.whitening import Whitening
from saferoom.models.logistic.wide import deal_fit_wide, fit_wide
from saferoom.protocols.dealing import DealingPace
from saferoom.sharing.values import Share

Tick: TypeAlias = Callable[[], None]


@dataclass(slots=True, eq=False, repr=False)
class TrainingRows:
    """The public subset, and all rows: the same where the plan has no subset.

    `mask` masks all rows at other scales: a careful stage takes longer words than an ordinary one.
    """

    subset: MaskedRows
    everything: MaskedRows
    mask: Callable[[Scales], MaskedRows]

    def suit(self, stage: Stage) -> None:
        """Have all rows at the scales of a stage."""
        if stage.scales.word_bits == self.everything.scales.word_bits:
            self.everything = replace(self.everything, scales=stage.scales)
        else:
            self.everything = self.mask(stage.scales)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fitted:
    """Weights (d,) that passed all checks, and with them the training rows' scores."""

    weights: Share
    scores: Share


def fit(side: PartySide, rows: TrainingRows, white: Whitening, start: Share, tick: Tick) -> Fitted:
    """`tick()` is called after each pass. Raises ProtocolError if the last stage ends without success."""
    s, plan = side.session, side.plan
    way = _Way(side, white, Checking(side, mask_turns(side, white)), tick)
    for number, stage in enumerate(plan.stages):
        with s.scope(f"stage={number}"):
            rows.suit(stage)
            u = way.through(stage, rows, start)
            if u is None:
                continue
            scores = share_scores(side, "train", rows.everything.columns, u)
            if is_in_range(s, side.randomness, scores, stage.reach):
                return Fitted(u, scores)
    raise (not_converged if u is None else out_of_range)(s.step("checks"))


def deal_fit(side: DealerSide, rows: TrainingRows, tick: Tick) -> None:
    """The dealer's side of `fit`."""
    s, plan = side.session, side.plan
    way = _DealtWay(side, DealtChecking(side, deal_turns(side), DealingPace(s)), tick)
    for number, stage in enumerate(plan.stages):
        with s.scope(f"stage={number}"):
            rows.suit(stage)
            converged = way.through(stage, rows)
            if not converged:
                continue
            deal_scores_of(side, "train", rows.everything.columns)
            if deal_is_in_range(side.dealer, s, plan.rows):
                return
    raise (out_of_range if converged else not_converged)(s.step("checks"))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Way:
    """A party's way through a stage."""

    side: PartySide
    white: Whitening
    checking: Checking
    tick: Tick

    def through(self, stage: Stage, rows: TrainingRows, u: Share) -> Share | None:
        """Weights from the start `u`, once a check has held; None if none did."""
        s = self.side.session
        if stage.acceleration:
            ridge = self.white.ridge(self.side.plan.subset_rows)
            return fit_wide(
                self.checking, stage.acceleration, (rows.subset, rows.everything), ridge, u, self.tick
            )
        for number, newton in enumerate(stage.newton):
            with s.scope(f"newton={number}"):
                v, u = self._newton(stage, rows.subset, newton, u)
            self._done()
        for number, full in enumerate(stage.full):
            with s.scope(f"pass={number}"):
                u = step(u, gradient_pass(self.side, rows.everything, full.series, v, u), full.stride)
            self._done()
        for number, checked in enumerate(stage.checked):
            with s.scope(f"check={number}"):
                v, moved = self._checked(stage, rows, checked, v, u)
            self._done()
            with s.scope(f"check={number}"):
                if self.checking.holds(moved.times(1.0), v.lost):
                    return step(u, moved)
                if checked.renewal and not self.checking.is_whole(v.lost):
                    _go_on(self.side.plan, stage, s.step("whole"))
                    return None
            u = step(u, moved, checked.stride)
        return None

    def _newton(
        self, stage: Stage, rows: MaskedRows, planned: NewtonStep, u: Share
    ) -> tuple[Preconditioner, Share]:
        v, moved = curvature_pass(self.side, rows, stage.series, self._ridge(planned), planned, u)
        u = step(u, moved)
        for extra in range(1, planned.passes):
            with self.side.session.scope(f"pass={extra}"):
                u = step(u, gradient_pass(self.side, rows, stage.series, v, u))
        return v, u

    def _checked(
        self, stage: Stage, rows: TrainingRows, planned: CheckedPass, v: Preconditioner, u: Share
    ) -> tuple[Preconditioner, Move]:
        side, new = self.side, planned.renewal
        if new and not side.plan.parted:
            return curvature_pass(side, rows.subset, stage.series, self._ridge(new), new, u)
        if new:
            with side.session.scope("renewal"):
                v = renewal(side, rows.subset, stage.series, self._ridge(new), new, u)
        return v, gradient_pass(side, rows.everything, planned.series, v, u)

    def _ridge(self, planned: NewtonStep) -> F64:
        return self.white.ridge(planned.rows)

    def _done(self) -> None:
        self.side.randomness.tell_pass()
        self.tick()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _DealtWay:
    """The dealer's side of `_Way`."""

    side: DealerSide
    checking: DealtChecking
    tick: Tick

    def through(self, stage: Stage, rows: TrainingRows) -> bool:
        s, side, pace = self.side.session, self.side, self.checking.pace
        if stage.acceleration:
            return deal_fit_wide(self.checking, stage.acceleration, (rows.subset, rows.everything), self.tick)
        for number, newton in enumerate(stage.newton):
            pace.wait()
            with s.scope(f"newton={number}"):
                v = self._newton(stage, rows.subset, newton)
            self.tick()
        for number, full in enumerate(stage.full):
            pace.wait()
            with s.scope(f"pass={number}"):
                deal_gradient_pass(side, rows.everything, full.series, v)
            self.tick()
        for number, checked in enumerate(stage.checked):
            pace.wait()
            with s.scope(f"check={number}"):
                v = self._checked(stage, rows, checked, v)
                self.checking.deal(lost=True)
            self.tick()
            pace.finish()
            with s.scope(f"check={number}"):
                if self.checking.held():
                    return True
                if checked.renewal and not self.checking.was_whole():
                    _go_on(self.side.plan, stage, s.step("whole"))
                    return False
        return False

    def _newton(self, stage: Stage, rows: MaskedRows, planned: NewtonStep) -> Preconditioner:
        v = deal_curvature_pass(self.side, rows, stage.series, planned)
        for extra in range(1, planned.passes):
            with self.side.session.scope(f"pass={extra}"):
                deal_gradient_pass(self.side, rows, stage.series, v)
        return v

    def _checked(
        self, stage: Stage, rows: TrainingRows, planned: CheckedPass, v: Preconditioner
    ) -> Preconditioner:
        side, new = self.side, planned.renewal
        if new and not side.plan.parted:
            return deal_curvature_pass(side, rows.subset, stage.series, new)
        if new:
            with side.session.scope("renewal"):
                v = deal_renewal(side, rows.subset, stage.series, new)
        deal_gradient_pass(side, rows.everything, planned.series, v)
        return v


def _go_on(plan: Plan, stage: Stage, step: str) -> None:
    """Further passes of this stage will not do. A later one takes scores of a larger range."""
    if stage is plan.stages[-1]:
        raise undetermined(step)
