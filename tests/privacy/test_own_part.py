"""Each party counts what scores would show of its part, and can refuse: before any is released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saferoom.errors import RefusedError
from saferoom.jobs.context import JobContext
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns, write_rows
from tests.task_room import Played, play

ROWS = 600


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """The power company brings two yes/no columns, the others numbers."""
    with opened_nodes(tmp_path_factory.mktemp("own-part")) as nodes:
        for party, columns in enterprises(ROWS)[1].items():
            label = {"label": "y", "split": "split"} if party == "bank" else {}
            if party == "power":
                flags = {name: (np.array(columns[name]) > 0).astype(int) for name in ("power_a", "power_b")}
                columns.update({name: flag.tolist() for name, flag in flags.items()})
            nodes.add_data(party, "rows", columns, **label)
        yield nodes


def run(nodes: Nodes, facts: dict[str, Any], task: str = "logistic", **limits: dict[str, float]) -> Played:
    def watch(context: JobContext) -> None:
        context.spec = replace(context.spec, **limits.get(context.me, {}))
        facts[context.me] = context.facts

    contract = nodes.activate(nodes.draft(three_party_columns(), task={"kind": task}, minimum_bin_rows=20))
    return play(nodes, contract, on_context=watch)


def counted(nodes: Nodes, party: str, job: Played) -> list[tuple[str, str]]:
    return [
        (event["outcome"], event["reason"])
        for event in nodes.events(party)
        if event["type"] == "release.counted" and event["session"]["id"] == job.job_id
    ]


@pytest.mark.parametrize("task", ["logistic", "scorecard"])
def test_a_part_of_few_values_is_warned_of_at_its_own_node_alone(nodes: Nodes, task: str) -> None:
    facts: dict[str, Any] = {}
    job = run(nodes, facts, task)
    assert job.error is None
    assert facts["power"]["part_values"] <= 4
    assert facts["power"]["tells_columns"] and facts["power"]["shown_bits"] <= 2
    ((outcome, words),) = set(counted(nodes, "power", job))
    assert outcome == "allowed" and "columns can be told" in words
    assert "part_values" not in facts["bank"], "its own part is shown to nobody else"
    assert not counted(nodes, "bank", job)


@pytest.mark.parametrize("limits", [{"max_bits_shown": 1.0}, {"max_share_shown": 0.5}])
def test_a_party_refuses_before_any_score_is_released(nodes: Nodes, limits: dict[str, float]) -> None:
    job = run(nodes, {}, power=limits)
    assert isinstance(job.error, RefusedError)
    assert (job.error.party, job.error.step) == ("power", "own part")
    assert "a score would show more than" in job.error.message
    assert not {kind for kind, _ in job.learnt()} & {"score", "coefficients", "intercept"}
    assert [outcome for outcome, _ in counted(nodes, "power", job)] == ["refused"]


def test_a_party_that_scores_counts_its_whole_data_set_even_for_one_enterprise(nodes: Nodes) -> None:
    contract = nodes.activate(nodes.draft(three_party_columns()))
    trained = play(nodes, contract)
    columns = enterprises(ROWS)[1]["bank"]
    asked = write_rows(nodes.folder / "one.csv", {n: columns[n][:1] for n in ("uscc", "bank_a", "bank_b")})
    facts: dict[str, Any] = {}

    def watch(context: JobContext) -> None:
        facts[context.me] = context.facts

    job = play(
        nodes,
        contract,
        "score",
        params={"model": trained.job_id, "rows": 1},
        local={"bank": {"input": str(asked)}},
        on_context=watch,
    )
    assert job.error is None
    assert facts["tax"]["part_values"] > 500 and 5 < facts["tax"]["shown_bits"] < 10
    assert not facts["tax"]["tells_columns"]
    assert facts["power"]["tells_columns"]
