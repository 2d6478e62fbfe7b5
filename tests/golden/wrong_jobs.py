"""Jobs, data and disclosures that a contract does not allow, some that are just allowed, and words on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.golden.contracts import contract_of
from tests.golden.drafts import NOW
from tests.golden.keys import keys_of
from tests.golden.names import (
    Contract,
    Disclosure,
    Usage,
    check_active,
    check_columns,
    check_dataset,
    check_disclosure,
    check_job,
    check_rows,
    explain,
    sign_decision,
    sign_order,
    task_of,
    verify_decision,
    verify_order,
)
from tests.golden.objections import said

Attempts = dict[str, Callable[[], object]]

NAIVE = datetime(2025, 3, 3)
JOB = "0123456789abcdef" * 2
KINDS = (
    *("set_sizes", "intersection", "widths", "split", "coefficients", "intercept", "score", "points"),
    *("range_check", "anonymous_events", "bin_events", "vif", "left_out", "standard_errors", "reason_codes"),
    *("split_sums", "chosen_splits", "tree_rows", "tree_shapes", "split_values", "query", "label"),
)
"""All that contracts may name, and `label`, which none may."""


def _job(
    name: str, kind: str, params: dict[str, Any], usage: Usage | None = None, now: datetime = NOW
) -> Any:
    return lambda: check_job(contract_of(name), kind, params, usage or Usage(), now)


def _training() -> Attempts:
    at_end = contract_of("logistic/three").expires
    used = Usage(training_jobs=3)
    return {
        "nothing asked": _job("logistic/three", "train", {}),
        "the contract's own parameters": _job("logistic/three", "train", {"l2": 0.5, "split_seed": 7}),
        "another l2": _job("logistic/three", "train", {"l2": 0.6}),
        "l2 as a text": _job("logistic/three", "train", {"l2": "0.5"}),
        "l2 as a truth": _job("logistic/two", "train", {"l2": True}),
        "an unknown parameter": _job("logistic/three", "train", {"passes": 3}),
        "another split_seed": _job("logistic/three", "train", {"split_seed": 8}),
        "the last job": _job("logistic/three", "train", {}, Usage(training_jobs=2)),
        "a job too many": _job("logistic/three", "train", {}, used),
        "too early": _job("logistic/three", "train", {}, now=NOW - timedelta(days=2)),
        "too late": _job("logistic/three", "train", {}, now=at_end),
        "no time zone": _job("logistic/three", "train", {}, now=NAIVE),
        "everything at once": _job("logistic/three", "train", {"l2": 9, "x": 1}, used, at_end),
        "training where only scoring is allowed": _job("logistic/scoring-only", "train", {}),
        "training where only grading is allowed": _job("logistic/grading-only", "train", {}),
        "an unknown kind": _job("logistic/three", "align", {}),
        "a kind of no name": _job("scorecard/three", "", {}),
        "resuming a regression": _job("logistic/three", "train", {"resume": JOB}),
        "resuming a scorecard": _job("scorecard/three", "train", {"resume": JOB}),
        "resuming trees": _job("boosting/three", "train", {"resume": JOB}),
        "resuming what is no job": _job("boosting/three", "train", {"resume": "../" + JOB}),
        "resuming a number": _job("boosting/three", "train", {"resume": 7}),
        "other leaves": _job("boosting/three", "train", {"min_leaf_rows": 21, "max_vif": 10}),
        "other bins": _job("scorecard/three", "train", {"max_bins": 6, "pdo": 20}),
    }


def _scoring() -> Attempts:
    asked: dict[str, dict[str, Any]] = {
        "no model": {},
        "a model": {"model": "m"},
        "a path for a model": {"model": "../../keys"},
        "a hidden model": {"model": ".hidden"},
        "a number for a model": {"model": 7},
        "a long model": {"model": "m" * 65},
        "no rows": {"model": "m", "rows": 0},
        "half a row": {"model": "m", "rows": 1.5},
        "a truth for rows": {"model": "m", "rows": True},
        "one of two": {"model": "m", "mode": "one", "rows": 2},
        "an unknown mode": {"model": "m", "mode": "all"},
        "an unknown parameter": {"model": "m", "threshold": 1},
        "the day's scores": {"model": "m", "rows": 1000},
        "a score too many": {"model": "m", "rows": 1001},
        "reason codes": {"model": "m", "rows": 5, "reasons": 4},
        "too many reason codes": {"model": "m", "rows": 5, "reasons": 5},
        "a truth for reason codes": {"model": "m", "rows": 5, "reasons": True},
        "reason codes of too many": {"model": "m", "rows": 2001, "reasons": 1},
        "everything at once": {"model": "", "mode": "all", "rows": 1001, "reasons": 9, "x": 1},
    }
    found: Attempts = {}
    for contract in ("logistic/three", "scorecard/reason-codes", "boosting/three"):
        found |= {f"{contract}: {name}": _job(contract, "score", params) for name, params in asked.items()}
    one = {"model": "m", "mode": "one", "rows": 1}
    return found | {
        "used up today": _job("boosting/three", "score", {"model": "m", "rows": 401}, Usage(0, 600)),
        "one where only lists are allowed": _job("logistic/scoring-only", "score", one),
        "a list where only one is allowed": _job("logistic/single-scores-only", "score", {"model": "m"}),
        "one where one is allowed": _job("logistic/single-scores-only", "score", one),
        "scoring where only training is allowed": _job("boosting/training-only", "score", {"model": "m"}),
    }


def _disclosing() -> Attempts:
    def wanted(
        name: str, kind: str, to: str, *shape: int, job: str = "", asked: int | None = None
    ) -> Callable[[], object]:
        found = Disclosure(kind, to, shape, "a/step")
        return lambda: check_disclosure(contract_of(name), found, job, asked)

    return {
        "a kind of job that is none": wanted("logistic/three", "score", "bank", 1, job="trian"),
        "a table": wanted("logistic/three", "score", "bank", 500, 3),
        "counts of one class": wanted("scorecard/three", "bin_events", "tax", 7, 1, job="train"),
        "counts of two classes": wanted("scorecard/three", "bin_events", "tax", 7, 2, job="train"),
        "two intercepts": wanted("logistic/three", "intercept", "bank", 2),
        "an intercept without shape": wanted("logistic/three", "intercept", "bank"),
        "as many rows as the minimum": wanted("logistic/three", "intersection", "tax", 200, job="train"),
        "a row too few": wanted("logistic/three", "intersection", "tax", 199, job="train"),
        "a split of too few rows": wanted("boosting/three", "split", "tax", 199, job="train"),
        "few rows when scoring": wanted("logistic/three", "intersection", "tax", 1, job="score"),
        "as many scores as were asked for": wanted(
            "logistic/three", "score", "bank", 10, job="score", asked=10
        ),
        "a score too many": wanted("logistic/three", "score", "bank", 11, job="score", asked=10),
        "points of one too many": wanted("scorecard/three", "points", "bank", 6, job="score", asked=5),
        "everything at once": wanted("logistic/three", "intercept", "tax", 2, 2, job="score", asked=1),
    }


def disclosures_refused(contract: Contract, job: str) -> dict[str, dict[str, str]]:
    """What is said against each kind of disclosure to each node: kinds, by what is said and by node."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for to in (*contract.parties, "helper", "coordinator", "broker"):
        for kind in KINDS:
            wanted = Disclosure(kind, to, (1,) if kind == "intercept" else (500,), "a/step")
            words = said(lambda wanted=wanted: check_disclosure(contract, wanted, job))  # type: ignore[misc]
            found[words.replace(f"let {to} learn {kind!r}", "let … learn …")][to].append(kind)
    return {words: {to: ", ".join(kinds) for to, kinds in by.items()} for words, by in found.items()}


def _data() -> Attempts:
    pinned, contract = contract_of("logistic/consent-and-versions"), contract_of("logistic/three")
    version = pinned.parties["tax"].version
    return {
        "the data set": lambda: check_dataset(contract, "tax", "tax-2024", "sha256:any"),
        "another data set": lambda: check_dataset(contract, "tax", "tax-2023", "sha256:any"),
        "the pinned version": lambda: check_dataset(pinned, "tax", "tax-2024", str(version)),
        "another version": lambda: check_dataset(pinned, "tax", "tax-2024", "sha256:any"),
        "another data set and version": lambda: check_dataset(pinned, "tax", "tax-2023", "sha256:any"),
        "columns as named": lambda: check_columns(contract, "tax", {"tax_a": "feature", "uscc": "id"}),
        "columns not named": lambda: check_columns(contract, "tax", {"b": "feature", "a": "label"}),
        "another use": lambda: check_columns(contract, "bank", {"bank_a": "label", "default": "feature"}),
        "rows enough": lambda: check_rows(contract, 200),
        "rows too few": lambda: check_rows(contract, 199),
    }


def _words() -> Attempts:
    """What parties sign: approvals, refusals, orders."""
    contract, key = contract_of("logistic/three"), keys_of("tax").signing
    signed = {
        p: sign_decision(keys_of(p).signing, contract, p, "approve").signature for p in contract.parties
    }
    refusal = sign_decision(key, contract, "tax", "refuse", "too wide")
    order = sign_order(key, contract, JOB, "tax", "leak")
    two = contract_of("logistic/two")
    of_utility = sign_decision(keys_of("utility").signing, contract, "utility", "approve")
    return {
        "all have signed": lambda: check_active(contract, signed, NOW),
        "nobody has signed": lambda: check_active(contract, {}, NOW),
        "one has not signed": lambda: check_active(contract, {"bank": signed["bank"]}, NOW),
        "a stranger has signed": lambda: check_active(contract, signed | {"broker": bytes(64)}, NOW),
        "another's signature": lambda: check_active(contract, signed | {"tax": signed["bank"]}, NOW),
        "signed, too early": lambda: check_active(contract, signed, NOW - timedelta(days=2)),
        "signed, too late": lambda: check_active(contract, signed, contract.expires),
        "signed, no time zone": lambda: check_active(contract, signed, NAIVE),
        "a word that is none": lambda: sign_decision(key, contract, "tax", "perhaps"),
        "an approval with a reason": lambda: sign_decision(key, contract, "tax", "approve", "why"),
        "a reason too long": lambda: sign_decision(key, contract, "tax", "refuse", "x" * 1001),
        "a changed reason": lambda: verify_decision(contract, replace(refusal, reason="another")),
        "a refusal for an approval": lambda: verify_decision(contract, replace(refusal, decision="approve")),
        "a decision of no party": lambda: verify_decision(two, of_utility),
        "an order without a reason": lambda: sign_order(key, contract, JOB, "tax", ""),
        "an order of too many words": lambda: sign_order(key, contract, JOB, "tax", "x" * 401),
        "an order of no party": lambda: verify_order(contract, replace(order, party="broker")),
        "an order on another job": lambda: verify_order(contract, replace(order, job=JOB[::-1])),
    }


def _others() -> Attempts:
    quota = contract_of("logistic/three")
    return {
        "a language that is not spoken": lambda: explain(quota, "de"),
        "a job that nobody knows": lambda: task_of("logistic", "align"),
        "a job that the helper does not know": lambda: task_of("logistic", "grade"),
    }


def _refuse(reasons: list[str]) -> None:
    if reasons:
        raise ValueError("; ".join(reasons))


def attempts() -> Iterator[tuple[str, Attempts]]:
    """By what they are about."""
    yield "training", _training()
    yield "scoring", _scoring()
    yield "disclosing", _disclosing()
    yield "data", _data()
    yield "words", _words()
    yield "others", _others()
