"""Golden failures: the error that a job ends in, and what a node logs of what it refuses.

    files/failures/trainings.json, scores.json    by what is wrong
    files/failures/asked.json                     what a job asks of its node, and entries of the log

How the files are written anew: see `test_golden_contracts.py`.
"""

from __future__ import annotations

from typing import Any

from tests.golden.jobs import NOBODY, TRAININGS, TREES, TWO, Jobs, Training
from tests.golden.names import Contract
from tests.golden.objections import all_said, said
from tests.golden.room import data_of, play_golden
from tests.golden.seen import entries_of, named
from tests.golden.store import Golden
from tests.node_room import write_rows

SESSION = "0123456789abcdef" * 2


def test_trainings_that_fail(golden: Golden, jobs: Jobs) -> None:
    """Each fails at one party, or at all with the same words: else the first to fail would be chance."""
    card, trees = TRAININGS["scorecard-two"], TRAININGS["boosting-two-reasons"]
    consent = jobs.contract("no-consents", TRAININGS["logistic-two"]).to_plain()
    consent["parties"]["tax"]["consent_required"] = True
    weights = jobs.contract("no-weights", Training("boosting", TWO, TREES | {"min_leaf_rows": 30})).to_plain()
    weights["parties"]["bank"]["columns"]["w"] = "weight"
    contracts = {
        "too few rows in common": jobs.contract("few-rows", TRAININGS["logistic-three"], minimum_rows=602),
        "no column after binning": _with(jobs, "no-columns", card, min_iv=9),
        "no rows for a leaf": _with(jobs, "large-leaves", trees, min_leaf_rows=500),
        "no table of consents": Contract.model_validate(consent),
        "no column of weights": Contract.model_validate(weights),
    }
    found = {name: _ended(jobs, name, contract) for name, contract in contracts.items()}
    resumed = jobs.trained("boosting-three").contract
    found["no checkpoint"] = _ended(jobs, "no checkpoint", resumed, params={"resume": SESSION})
    golden.holds("failures/trainings.json", found)


def test_scores_that_fail(golden: Golden, jobs: Jobs) -> None:
    logistic, trees = jobs.trained("logistic-three"), jobs.trained("boosting-three")
    bank = {name: values for name, values in data_of("bank").items() if name not in ("y", "split")}
    known = str(write_rows(jobs.nodes.folder / "known.csv", {n: values[:5] for n, values in bank.items()}))
    lacked = set(bank["uscc"]) - set(data_of("tax")["uscc"])
    places = [place for place, code in enumerate(bank["uscc"]) if code in lacked]
    rows = {name: [values[place] for place in places] for name, values in bank.items()}
    unknown = str(write_rows(jobs.nodes.folder / "unknown.csv", rows))
    model, of_trees = {"model": logistic.played.job_id}, {"model": trees.played.job_id}
    one = {"mode": "one", "rows": 1}

    asked = {
        "a model of another contract": (logistic, of_trees, {"input": known}),
        "none held by all": (logistic, model | {"rows": len(places)}, {"input": unknown}),
        "not in the list": (logistic, model | one, {"input": known, "id": NOBODY}),
        "no list": (logistic, model, {}),
        "reasons of a regression": (logistic, model | {"reasons": 2}, {"input": known}),
        "reasons of trees without values": (trees, of_trees | {"reasons": 2}, {"input": known}),
    }
    found = {}
    for name, (job, params, local) in asked.items():
        how = {"params": {"rows": 9} | params, "local": {"bank": local}}
        found[name] = _ended(jobs, name, job.contract, "score", **how)
    golden.holds("failures/scores.json", found)


def test_what_a_node_logs_when_a_job_asks_it(golden: Golden, jobs: Jobs) -> None:
    """Disclosures allowed and refused, events that are a job's to log and one that is not."""
    contract = jobs.nodes.activate(jobs.contract("asked", TRAININGS["logistic-three"]))
    core = jobs.nodes.cores["tax"]
    train = {"id": SESSION, "contract_id": contract.id, "kind": "train", "params": {}}
    score = train | {"kind": "score", "params": {"rows": 3}}

    def disclose(job: dict[str, Any], kind: str, to: str, *shape: int) -> Any:
        wanted = {"kind": kind, "to": to, "shape": list(shape), "step": "a/step"}
        return lambda: core.disclose(job, wanted, by="helper" if kind == "intersection" else "")

    def record(job: dict[str, Any], type_: str, **fields: Any) -> Any:
        return lambda: core.record_from_job(job, {"type": type_, **fields})

    attempts = {
        "a score": disclose(score, "score", "bank", 3),
        "a score too many": disclose(score, "score", "bank", 4),
        "a score to another": disclose(score, "score", "power", 3),
        "rows in common": disclose(train, "intersection", "tax", 12_345),
        "too few rows in common": disclose(train, "intersection", "tax", 49),
        "a label": disclose(train, "label", "power", 601, 1),
        "psi.done": record(train, "psi.done", rows=601),
        "consent.filtered": record(train, "consent.filtered", rows=1, dataset="rows", reason="600 dropped"),
        "score.batch": record(score, "score.batch", rows=22, model="m"),
        "score.one": record(score, "score.one", rows=1, model="m", subject="91510100XXNFHN6T7P"),
        "grade.released": record(score, "grade.released", rows=22, model="m"),
        "report.issued": record(score, "report.issued", rows=22, model="m"),
        "job.resumed": record(train, "job.resumed", reason=f"from tree 2 of job {SESSION[::-1]}"),
        "job.finished": record(train, "job.finished"),
    }
    found = all_said(attempts)
    core.book.set_state(contract.id, "revoked")
    found["a score, revoked"] = said(attempts["a score"])
    log = entries_of(jobs.nodes, "tax", SESSION, {SESSION: "session", SESSION[::-1]: "earlier"})
    golden.holds("failures/asked.json", {"said": found, "log": log})


def _with(jobs: Jobs, name: str, training: Training, **params: Any) -> Contract:
    task = {"kind": training.kind, "params": training.params | params}
    return jobs.contract(name, training, task=task)


def _ended(jobs: Jobs, name: str, contract: Contract, kind: str = "train", **how: Any) -> str:
    """The error of a job, by whom it was raised included."""
    if contract.id not in {row["id"] for row in jobs.nodes.cores["bank"].book.rows()}:
        jobs.nodes.activate(contract)
    error = play_golden(jobs.nodes, name, contract, kind, **how).played.error
    return f"{type(error).__name__}: {named(str(error), jobs.ids())}"
