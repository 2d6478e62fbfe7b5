"""The golden jobs: trainings of every kind of task, the scores asked for under them, how they are played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.golden.names import Contract
from tests.golden.room import PURPOSE, Job, data_of, play_golden
from tests.golden.waiting import Interrupted, stop_at_tree
from tests.node_room import PARTIES, Nodes, write_rows

TWO = ("bank", "tax")
SMALL_KEY = {"key_bits": 2048}
CARD = SMALL_KEY | {"max_bins": 4, "pre_bins": 12}
TREES = SMALL_KEY | {"randomness": "subgroup", "n_estimators": 3, "max_depth": 2, "max_bin": 8}
TREES |= {"min_leaf_rows": 20}
SELECTED = CARD | {"max_vif": 1.5, "drop_wrong_signs": True, "standard_errors": True}

NOBODY = "91110000000000000X"
"""Stands in a list of enterprises, and is no code of one."""


@dataclass(frozen=True)
class Training:
    """A training job: under which contract, and what is asked under it then."""

    kind: str
    parties: Sequence[str] = PARTIES
    params: dict[str, Any] = field(default_factory=dict)
    dataset: str = "rows"
    own_features: bool = True
    forms: Sequence[str] = ()
    scores: Sequence[str] = ("batch",)
    resumes: str = ""


TRAININGS = {
    "logistic-three": Training("logistic", scores=("batch", "one")),
    "logistic-two": Training("logistic", TWO, {"l2": 0.5, "logit_range": 16}),
    "logistic-two-drawn-split": Training("logistic", TWO, dataset="free", own_features=False),
    "logistic-three-consent": Training("logistic", dataset="consented"),
    "scorecard-three": Training(
        "scorecard", params=CARD, forms=("reason_codes",), scores=("batch", "one", "reasons", "one-reasons")
    ),
    "scorecard-two": Training(
        "scorecard", TWO, CARD | {"pre_binning": "tree"}, forms=("reason_codes",), scores=("reasons",)
    ),
    "scorecard-three-selected": Training("scorecard", params=SELECTED),
    "scorecard-two-no-own": Training("scorecard", TWO, CARD | {"max_vif": 5}, own_features=False),
    "boosting-three": Training("boosting", params=TREES, scores=("batch", "one")),
    "boosting-two-reasons": Training(
        "boosting", TWO, TREES | {"own_trees": 1}, forms=("reason_codes",), scores=("reasons", "one-reasons")
    ),
    "boosting-three-reasons": Training(
        "boosting", params=TREES, forms=("reason_codes",), scores=("reasons",)
    ),
    "boosting-three-no-own": Training("boosting", params=TREES, own_features=False),
    "boosting-two-weighted": Training(
        "boosting", TWO, TREES | {"min_leaf_rows": 30, "min_leaf_events": 2}, dataset="weighted", scores=()
    ),
    "boosting-three-largest-gradients": Training(
        "boosting", params=TREES | {"top_rate": 0.3, "other_rate": 0.3}, scores=()
    ),
    "boosting-three-early-stop": Training(
        "boosting",
        params=TREES | {"n_estimators": 4, "early_stopping_rounds": 1, "validation_share": 0.3},
        scores=(),
    ),
    "boosting-three-sampled": Training(
        "boosting", params=TREES | {"subsample": 0.7, "colsample_bytree": 0.5}, dataset="free", scores=()
    ),
    "boosting-three-stopped": Training("boosting", params=TREES, scores=()),
    "boosting-three-resumed": Training("boosting", params=TREES, resumes="boosting-three-stopped"),
}
STOPPED = "boosting-three-stopped"

SCORINGS = {f"{name}-{how}": (name, how) for name, training in TRAININGS.items() for how in training.scores}


class Jobs:
    """Plays each job once, when it is first asked for."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self._played: dict[str, Job] = {}
        bank = data_of("bank")
        listed = {name: values[:24] for name, values in bank.items() if name not in ("y", "split")}
        self._asked_rows = {name: [*values, values[0]] for name, values in listed.items()}
        self._asked_rows["uscc"][-1] = NOBODY
        self._asked = write_rows(nodes.folder / "asked.csv", self._asked_rows)

    def trained(self, name: str) -> Job:
        """A training job; one that was stopped ends in what stopped it."""
        if name not in self._played:
            self._played[name] = self._train(name, TRAININGS[name])
        return self._played[name]

    def scored(self, name: str) -> Job:
        """A score job under a training job's contract."""
        if name not in self._played:
            self._played[name] = self._score(name, *SCORINGS[name])
        return self._played[name]

    def ids(self) -> dict[str, str]:
        """The names of jobs by their random ids."""
        return {job.played.job_id: name for name, job in self._played.items()}

    def _train(self, name: str, training: Training) -> Job:
        if training.resumes:
            stopped = self.trained(training.resumes)
            params = {"resume": stopped.played.job_id}
            return _without_error(play_golden(self.nodes, name, stopped.contract, params=params))
        contract = self.nodes.activate(self.contract(name, training))
        if name != STOPPED:
            return _without_error(play_golden(self.nodes, name, contract))
        job = play_golden(self.nodes, name, contract, meddle={"power": stop_at_tree(self.nodes, 2)})
        assert isinstance(job.played.error, Interrupted), job.played.error
        return job

    def contract(self, name: str, training: Training, **terms: Any) -> Contract:
        """The contract of a training job, not signed yet."""
        own = "splits" if training.kind == "boosting" else "coefficients"
        forms = ["score", *training.forms] + ["points"] * (training.kind == "scorecard")
        outputs = [{"to": party, "form": own} for party in training.parties]
        outputs += [{"to": "bank", "form": form} for form in forms]
        task = {"kind": training.kind, "params": training.params, "split_seed": 7}
        limits = {"minimum_bin_rows": 30, "minimum_bin_events": 3, "purpose": PURPOSE, "id": name}
        columns = {party: _uses(party, training) for party in training.parties}
        terms = limits | {"task": task, "outputs": outputs} | terms
        contract = self.nodes.draft(columns, training.dataset, **terms)
        if training.dataset != "consented":
            return contract
        plain = contract.to_plain()
        for its in plain["parties"].values():
            its["consent_required"] = True
        return Contract.model_validate(plain)

    def _score(self, name: str, trained: str, how: str) -> Job:
        model = self.trained(trained)
        params: dict[str, Any] = {"model": model.played.job_id, "rows": 25}
        local = {"input": str(self._asked)}
        if how.startswith("one"):
            params |= {"mode": "one", "rows": 1}
            local["id"] = self._asked_rows["uscc"][1]
        if how.endswith("reasons"):
            params["reasons"] = 3
        job = play_golden(self.nodes, name, model.contract, "score", params=params, local={"bank": local})
        return _without_error(job)


def _uses(party: str, training: Training) -> dict[str, str]:
    """A party's columns, each for its use."""
    uses = {name: "feature" for name in data_of(party) if name not in ("uscc", "y", "split")}
    if party != "bank":
        return {"uscc": "id"} | uses
    uses = {"uscc": "id", "y": "label"} | (uses if training.own_features else {})
    uses |= {"split": "split"} if training.dataset != "free" else {}
    return uses | ({"w": "weight"} if training.dataset == "weighted" else {})


def _without_error(job: Job) -> Job:
    assert job.played.error is None, job.played.error
    return job
