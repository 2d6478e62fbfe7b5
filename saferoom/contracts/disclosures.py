"""From a contract to the closed set of what may be disclosed under it, and to whom.

    kind            to                               in jobs
    set_sizes       helper                           train, score
    intersection    every party                      train, score
    widths          every party, helper              train
    split           every party                      train
    range_check     every party                      train
    coefficients    each recipient (its own)         train
    intercept       label holder, if a recipient     train
    score           each recipient                   train, score (a scorecard: train)
    query           every party that brings columns  score

and with a scorecard

    anonymous_events  label holder                   train
    bin_events      every feature holder (its own)   train
    vif             label holder, with max_vif       train
    left_out        every party, helper, with max_vif or drop_wrong_signs   train
    standard_errors  each recipient of coefficients (its own), with standard_errors   train
    points          label holder; each recipient     train; score
    reason_codes    each recipient                   score

Boosted trees have no widths, range_check, coefficients and intercept, and besides

    split_sums      label holder                     train
    chosen_splits   each feature holder (its own)    train
    tree_rows       every party                      train
    tree_shapes     every feature holder             train
    split_values    every feature holder (its own), if reason codes are among the outputs   train
    reason_codes    each recipient                   score

What the protocols need whatever the outputs (the first five, `query`, and the counts) is decided here; the
rest follows from the outputs. Kinds are those of `saferoom.kinds.learns`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from saferoom.contracts.contract import Contract
from saferoom.contracts.params import ScorecardParams
from saferoom.contracts.terms import scoring_form
from saferoom.ids import HELPER

Job: TypeAlias = Literal["train", "score"]


def jobs_of(contract: Contract) -> tuple[Job, ...]:
    """The kinds of job that the contract's uses allow."""
    jobs: list[Job] = ["train"] if "train" in contract.uses else []
    if {"score_batch", "score_one"} & set(contract.uses):
        jobs.append("score")
    return tuple(jobs)


def allowed_disclosures(contract: Contract, job: Job | None = None) -> frozenset[tuple[str, str]]:
    """Allowed (kind, recipient) pairs in jobs of this kind; without `job`, in any the contract allows."""
    allowed: set[tuple[str, str]] = set()
    for kind in jobs_of(contract):
        if job in (None, kind):
            allowed |= _in_training(contract) if kind == "train" else _in_scoring(contract)
    return frozenset(allowed)


def _in_training(contract: Contract) -> set[tuple[str, str]]:
    return {
        ("set_sizes", HELPER),
        *((kind, party) for kind in ("intersection", "split") for party in contract.parties),
        *(("score", party) for party in contract.recipients("score")),
        *(_in_boosting(contract) if contract.task.kind == "boosting" else _in_regressions(contract)),
        *(_in_scorecards(contract) if contract.task.kind == "scorecard" else ()),
    }


def _in_regressions(contract: Contract) -> set[tuple[str, str]]:
    own = contract.recipients("coefficients")
    return {
        ("widths", HELPER),
        *((kind, party) for kind in ("widths", "range_check") for party in contract.parties),
        *(("coefficients", party) for party in own),
        *(("intercept", party) for party in own if party == contract.label_holder),
    }


def _in_scorecards(contract: Contract) -> set[tuple[str, str]]:
    """What training a scorecard discloses besides."""
    params = contract.task.params
    selects = isinstance(params, ScorecardParams) and (params.max_vif is not None or params.drop_wrong_signs)
    by_vif = isinstance(params, ScorecardParams) and params.max_vif is not None
    with_errors = isinstance(params, ScorecardParams) and params.standard_errors
    return {
        ("anonymous_events", contract.label_holder),
        *([("vif", contract.label_holder)] if by_vif else []),
        *((("standard_errors", p) for p in contract.recipients("coefficients")) if with_errors else ()),
        *((("left_out", node) for node in (*contract.parties, HELPER)) if selects else ()),
        *(("bin_events", party) for party in contract.parties if party != contract.label_holder),
        ("points", contract.label_holder),
    }


def _in_boosting(contract: Contract) -> set[tuple[str, str]]:
    others = [party for party in contract.parties if party != contract.label_holder]
    explains = bool(contract.recipients("reason_codes"))
    return {
        ("split_sums", contract.label_holder),
        *(("chosen_splits", party) for party in contract.recipients("splits") if party in others),
        *(("tree_rows", party) for party in contract.parties),
        *(("tree_shapes", party) for party in others),
        *((("split_values", party) for party in others) if explains else ()),
    }


def _in_scoring(contract: Contract) -> set[tuple[str, str]]:
    form = scoring_form(contract.task.kind)
    return {
        ("set_sizes", HELPER),
        *(("intersection", party) for party in contract.parties),
        *((form, party) for party in contract.recipients(form)),
        *(("reason_codes", party) for party in contract.recipients("reason_codes")),
        *(("query", party) for party in contract.parties if contract.features_of(party)),
    }
