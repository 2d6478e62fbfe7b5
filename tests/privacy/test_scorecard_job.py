"""A scorecard from data to scores: what each role learns, and points that come out the same everywhere.

The jobs run in threads with real contracts, data sets and logs.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.data import catalogue
from saferoom.models.metrics import metrics_summary
from saferoom.scoring.scorecard import largest_rounding
from saferoom.tasks.models.scorecard import ScorecardModel
from saferoom.tasks.models.stability import feature_stability
from saferoom.tasks.registry import load_model, work_of
from tests.node_room import PARTIES, Nodes, opened_nodes, write_rows
from tests.scorecard_room import CODE, add_data, draft, enterprises
from tests.task_room import Played, play

ROWS, ASKED = 1340, 60
PARTS = enterprises(ROWS)

Points = dict[str, int]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("scorecard")) as nodes:
        add_data(nodes, ROWS)
        yield nodes


@pytest.fixture(scope="module", params=[PARTIES, ("bank", "tax")], ids=["three", "two"])
def trained(request: pytest.FixtureRequest, nodes: Nodes) -> tuple[Contract, Played]:
    contract = nodes.activate(draft(nodes, request.param, params={"drop_wrong_signs": False}))
    job = play(nodes, contract)
    assert job.error is None, job.error
    return contract, job


def asked(nodes: Nodes, name: str, rows: slice) -> Path:
    columns = {name: values[rows] for name, values in PARTS["bank"].items() if name not in ("y", "split")}
    return write_rows(nodes.folder / f"{name}.csv", columns)


def scored(
    nodes: Nodes, contract: Contract, model: str, file: Path, one: str = "", reasons: int = 0
) -> tuple[Played, Points]:
    mode: dict[str, Any] = {"mode": "one", "rows": 1} if one else {"rows": ASKED}
    mode |= {"reasons": reasons} if reasons else {}
    local = {"input": str(file), **({"id": one} if one else {})}
    job = play(nodes, contract, "score", params={"model": model, **mode}, local={"bank": local})
    assert job.error is None, job.error
    return job, points_in(nodes.homes["bank"].model(job.job_id) / "scores.csv")


def points_in(file: Path) -> Points:
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: int(row["points"]) for row in csv.DictReader(lines)}


def model_of(nodes: Nodes, party: str, job: Played) -> ScorecardModel:
    model = load_model(nodes.homes[party].model(job.job_id))
    assert isinstance(model, ScorecardModel)
    return model


def by_the_exported_table(card: dict[str, Any], row: dict[str, Any]) -> int:
    """What another program makes of `scorecard.json`, knowing nothing of SafeRoom."""
    total = card.get("base_points", 0)
    for feature in card["features"]:
        value = row[feature["name"]]
        total += next(one["points"] for one in feature["bins"] if falls_into(one, feature["bins"], value))
    return int(total)


def falls_into(one: dict[str, Any], bins: list[dict[str, Any]], value: Any) -> bool:
    if value is None or value != value:
        return bool(one.get("missing"))
    if isinstance(value, str):
        listed = any(value in other["levels"] for other in bins)
        return value in one["levels"] if listed else bool(one.get("other"))
    if any(value in other.get("special", ()) for other in bins):
        return value in one.get("special", ())
    if "up_to" not in one:
        return False
    above, up_to = one["above"], one["up_to"]
    return (above is None or value > above) and (up_to is None or value <= up_to)


def test_the_logs_hold_what_the_contract_declares_and_nothing_else(
    nodes: Nodes, trained: tuple[Contract, Played]
) -> None:
    contract, job = trained
    known = {("split", "bank")}
    assert job.learnt() == allowed_disclosures(contract, "train") - known
    score, _ = scored(nodes, contract, job.job_id, asked(nodes, "asked", slice(ASKED)))
    allowed = allowed_disclosures(contract, "score") - {("query", "bank")}
    assert score.learnt() == allowed - {("reason_codes", "bank")}
    explained, _ = scored(nodes, contract, job.job_id, asked(nodes, "asked", slice(ASKED)), reasons=3)
    assert explained.learnt() == allowed


def test_batch_one_by_one_and_exported_tables_give_the_same_points(
    nodes: Nodes, trained: tuple[Contract, Played]
) -> None:
    contract, job = trained
    _, batch = scored(nodes, contract, job.job_id, asked(nodes, "asked", slice(ASKED)))
    at_training = points_in(nodes.homes["bank"].model(job.job_id) / "scores.csv")
    assert len(batch) == ASKED
    cards = {
        party: json.loads((nodes.homes[party].model(job.job_id) / "scorecard.json").read_text("utf-8"))
        for party in contract.parties
    }
    ids = PARTS["bank"]["uscc"]
    for place in range(ASKED):
        rows = {p: {name: values[place] for name, values in PARTS[p].items()} for p in contract.parties}
        exported = sum(by_the_exported_table(cards[party], rows[party]) for party in contract.parties)
        assert batch[ids[place]] == exported == at_training[ids[place]]
    for place in (0, 17):
        _, single = scored(nodes, contract, job.job_id, asked(nodes, "asked", slice(ASKED)), one=ids[place])
        assert single == {ids[place]: batch[ids[place]]}


def test_points_follow_the_log_odds_within_rounding(nodes: Nodes, trained: tuple[Contract, Played]) -> None:
    """The model's own log-odds from all parties' parts, which only a test can put together."""
    contract, job = trained
    points = points_in(nodes.homes["bank"].model(job.job_id) / "scores.csv")
    logits, features = np.zeros(len(points)), 0
    order = {code: place for place, code in enumerate(PARTS["bank"]["uscc"])}
    places = np.array([order[code] for code in points])
    for party in contract.parties:
        model = model_of(nodes, party, job)
        table = nodes.table(party).take(places)
        logits += model.preparation.transform(table) @ model.coefficients + (model.intercept or 0)
        features += len(model.coefficients)
    scale = model_of(nodes, "bank", job).scale
    exact = scale.offset - scale.factor * logits
    off = np.abs(np.array(list(points.values())) - exact)
    assert off.max() <= largest_rounding(features)
    assert off.max() > 0.01


def test_each_party_holds_its_own_table_alone(nodes: Nodes, trained: tuple[Contract, Played]) -> None:
    contract, job = trained
    for party in contract.parties:
        folder = nodes.homes[party].model(job.job_id)
        card = json.loads((folder / "scorecard.json").read_text("utf-8"))
        assert ("base_points" in card) == (party == "bank")
        assert [feature["name"] for feature in card["features"]] == [
            f"{party}_{name}" for name in ("bent", "coded", "gaps", "region")
        ]
        for other in set(PARTIES) - {party}:
            assert all(f"{other}_" not in file.read_text("utf-8") for file in folder.glob("*.json"))
        for file in folder.iterdir():
            assert file.stat().st_mode & 0o077 == 0
        with (folder / "scorecard.csv").open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["rows"]]
        assert sum(int(row["points"]) for row in rows) == sum(
            one["points"] for feature in card["features"] for one in feature["bins"]
        )
        told = [row for row in rows if "events estimated" not in row["note"]]
        if party != "bank":  # who holds the labels has no secrets from itself
            assert min(int(row["rows"]) for row in told) >= contract.minimum_bin_rows
            assert min(int(row["events"]) for row in told) >= contract.minimum_bin_events


def test_wrong_signs_are_marked_in_tables_card_and_facts(
    nodes: Nodes, trained: tuple[Contract, Played]
) -> None:
    """The contract keeps them: what they are is said wherever the points are read."""
    contract, job = trained
    wrong = {}
    for party in contract.parties:
        folder, model = nodes.homes[party].model(job.job_id), model_of(nodes, party, job)
        card = json.loads((folder / "scorecard.json").read_text("utf-8"))
        wrong[party] = [one["name"] for one in card["features"] if one["coefficient"] > 0]
        assert [one["name"] for one in card["features"] if one["wrong_sign"]] == wrong[party]
        with (folder / "scorecard.csv").open(encoding="utf-8", newline="") as lines:
            noted = {row["feature"] for row in csv.DictReader(lines) if "wrong sign" in row["note"]}
        assert noted == set(wrong[party])
        shown = model.own_part(folder)["cards"][0]
        assert [one.name for one in shown.features if one.wrong_sign] == wrong[party]
        assert work_of("scorecard").card(model.to_plain())["wrong_signs"] == wrong[party]
        assert job.facts[party]["wrong_signs"] == len(wrong[party])
    assert any(wrong.values()), "else this test sees nothing"


def test_gaps_codes_and_u_shapes_are_seen(nodes: Nodes, trained: tuple[Contract, Played]) -> None:
    _, job = trained
    bent, coded, gaps, region = model_of(nodes, "tax", job).preparation.columns
    assert gaps.bins.missing == gaps.bins.size - 1
    assert coded.bins.specials == {float(CODE): coded.bins.ordered}
    steps = np.sign(np.diff(bent.woe))
    assert set(steps.tolist()) == {-1.0, 1.0}
    assert sorted(region.bins.levels) == ["east", "north", "west"]


def test_it_tells_good_from_bad_on_held_out_rows(nodes: Nodes, trained: tuple[Contract, Played]) -> None:
    contract, job = trained
    folder = nodes.homes["bank"].model(job.job_id)
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["test"]["auc"] > metrics["alone"]["test"]["auc"] + 0.03
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "test"]
    again = metrics_summary(np.array([int(r["y"]) for r in rows]), np.array([float(r["pd"]) for r in rows]))
    assert again["auc"] == pytest.approx(metrics["test"]["auc"], abs=1e-6)
    assert contract.task.kind == "scorecard"


def test_a_feature_holder_left_without_columns_is_told_why(nodes: Nodes) -> None:
    contract = nodes.activate(draft(nodes, params={"min_iv": 9}))
    job = play(nodes, contract)
    assert job.error is not None
    assert "no column is left after binning" in str(job.error)
    assert not [message for message in job.messages if message.label.startswith(("evaluate/", "release/"))]


def test_columns_that_repeat_others_or_have_the_wrong_sign_are_left_out(nodes: Nodes) -> None:
    """The U-shaped columns of all parties are of one cause: their factors are high."""
    contract = nodes.activate(
        draft(nodes, params={"max_vif": 1.5, "drop_wrong_signs": True, "standard_errors": True})
    )
    job = play(nodes, contract)
    assert job.error is None, job.error
    known = {("split", "bank")}
    assert job.learnt() == allowed_disclosures(contract, "train") - known
    dropped = {party: model_of(nodes, party, job).preparation.dropped for party in PARTIES}
    reasons = [reason for found in dropped.values() for reason in found.values()]
    assert "its variance inflation factor is above the contract's max_vif" in reasons
    for party in PARTIES:
        model = model_of(nodes, party, job)
        assert len(model.coefficients) == len(model.preparation.columns) > 0
        assert model.coefficients.max() <= 0
        card = json.loads((nodes.homes[party].model(job.job_id) / "scorecard.json").read_text("utf-8"))
        for feature in card["features"]:
            assert 0.01 < feature["standard_error"] < 1
            z = abs(feature["coefficient"]) / feature["standard_error"]
            assert feature["p_value"] == pytest.approx(2 * norm.sf(z))


def test_scores_are_told_of_the_last_model_alone(nodes: Nodes) -> None:
    """Those of an earlier one would differ by the columns that it has and the last has not."""
    contract = nodes.activate(draft(nodes, params={"drop_wrong_signs": True}))
    job = play(nodes, contract)
    assert job.error is None, job.error
    models = [one.label for one in job.messages if "release/coefficients" in one.label]
    assert len(models) > len(PARTIES) * (len(PARTIES) - 1), "else all trained once"
    scores = [one.label for one in job.messages if one.label.endswith("evaluate/train/reveal")]
    assert len(scores) == len(PARTIES) - 1


def test_the_features_of_each_party_are_watched_at_that_party(
    nodes: Nodes, trained: tuple[Contract, Played]
) -> None:
    """The training rows are three quarters of the data set: nothing has moved."""
    contract, job = trained
    for party in contract.parties:
        registration = catalogue.recall("rows", nodes.homes[party].data)
        found = feature_stability(model_of(nodes, party, job), registration)
        assert {one["feature"] for one in found["features"]} <= set(PARTS[party])
        assert found["rows"] == ROWS
        assert all(one["verdict"] == "stable" for one in found["features"])


def test_reasons_are_the_costliest_features_by_their_published_names(
    nodes: Nodes, trained: tuple[Contract, Played]
) -> None:
    """Against what all parties' tables, put together in the clear, say."""
    contract, job = trained
    played, points = scored(nodes, contract, job.job_id, asked(nodes, "asked", slice(ASKED)), reasons=3)
    with (nodes.homes["bank"].model(played.job_id) / "scores.csv").open("r", newline="") as lines:
        found = {row["id"]: row["reasons"].split("; ") for row in csv.DictReader(lines)}
    order = {code: place for place, code in enumerate(PARTS["bank"]["uscc"])}
    places = np.array([order[code] for code in points])
    for_each: dict[str, list[tuple[int, int, str]]] = {code: [] for code in points}
    for place, party in enumerate(sorted(contract.parties)):
        model = model_of(nodes, party, job)
        lost = model.table.lost(model.preparation.codes(nodes.table(party).take(places)))
        published = {f"{party}_gaps": f"{party} payment behaviour", f"{party}_region": f"{party} region"}
        names = [published.get(name, "(not published)") for name in model.preparation.column_names]
        for code, costs in zip(points, lost.tolist(), strict=True):
            own = sorted(zip(costs, names, strict=True), key=lambda pair: -pair[0])
            for_each[code] += [(-min(cost, 255), place, name) for cost, name in own if cost]
    for code, candidates in for_each.items():
        expected = [name for _, _, name in sorted(candidates, key=lambda one: one[:2])[:3]]
        assert found[code] == expected
    shown = {name for names in found.values() for name in names}
    assert {"(not published)", "tax payment behaviour"} <= shown
    assert not any("bent" in name or "coded" in name for name in shown)


def test_costs_are_not_sent_and_owners_hear_nothing(nodes: Nodes, trained: tuple[Contract, Played]) -> None:
    contract, job = trained
    played, _ = scored(nodes, contract, job.job_id, asked(nodes, "asked", slice(ASKED)), reasons=2)
    ranking = [message for message in played.messages if message.label.startswith("reasons/")]
    to_owners = [m for m in ranking if m.receiver != "bank" and m.sender != "helper"]
    kinds = {m.label.split("/")[-1] for m in to_owners}
    assert kinds - {"echo"} == {"sizes", "turn", "factor", "nonce"}
    to_helper = [m for m in ranking if m.receiver == "helper"]
    sizes = {(m.label, m.tensors[0].tolist()[0]) for m in to_helper if not m.label.endswith("nonce")}
    assert sizes == {("reasons/sizes", ASKED)}


@pytest.mark.parametrize("params", [{}, {"max_vif": 2.0}], ids=["", "vif"])
def test_a_label_holder_without_features_makes_a_scorecard_of_the_others(
    nodes: Nodes, params: dict[str, Any]
) -> None:
    contract = nodes.activate(draft(nodes, params=params, own_features=False))
    job = play(nodes, contract)
    assert job.error is None, job.error
    model = model_of(nodes, "bank", job)
    assert model.table is not None
    assert (model.table.features, model.preparation.columns) == ((), ())
    metrics = json.loads((nodes.homes["bank"].model(job.job_id) / "metrics.json").read_text("utf-8"))
    assert metrics["test"]["auc"] > 0.65
