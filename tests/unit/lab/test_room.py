"""The YAML file of a lab room: what is read, and what is refused by name of the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from saferoom.data.dataset import describe
from saferoom.errors import ConfigError
from saferoom.lab.house import dataset_of, draft_of
from saferoom.lab.room import load_room
from saferoom.lab.twin_rows import described

GOOD = """
room: trial
label_holder: bank
parties:
  bank: {source: bank.csv, id: uscc, label: y, split: split}
  tax:  {source: tax.csv, id: uscc, columns: [a, b]}
task: {kind: logistic, params: {l2: 2.0}}
network: {latency_ms: 5, mbit_per_s: null}
seed: 3
"""


def _file(folder: Path, text: str) -> Path:
    file = folder / "room.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _load(folder: Path, text: str) -> object:
    return load_room(_file(folder, text))


def test_a_room_is_read_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "room.yaml").write_text(GOOD, encoding="utf-8")
    room = load_room(tmp_path / "room.yaml")
    assert (room.trust, room.seed, room.folder) == ("assisted", 3, tmp_path)
    assert room.parties["tax"].columns == ["a", "b"]
    assert room.parties["bank"].id_kind == "uscc"
    assert (room.network.latency_ms, room.network.mbit_per_s) == (5, None)
    assert room.task.params == {"l2": 2.0}


def test_the_label_holder_s_weights_go_into_the_draft(tmp_path: Path) -> None:
    text = GOOD.replace("split: split}", "split: split, weight: w}").replace(
        "kind: logistic", "kind: boosting"
    )
    room = load_room(_file(tmp_path, text))
    found = {party: {"columns": [{"name": f"{party}_a"}]} for party in room.parties}
    draft = draft_of(room, found)
    expected = {"uscc": "id", "y": "label", "split": "split", "w": "weight", "bank_a": "feature"}
    assert draft["parties"]["bank"]["columns"] == expected
    assert draft["parties"]["tax"]["columns"] == {"uscc": "id", "tax_a": "feature"}
    assert draft["outputs"][-1] == {"to": "bank", "form": "score"}
    assert "grading" not in draft


def test_a_room_says_what_it_releases(tmp_path: Path) -> None:
    room = load_room(
        _file(tmp_path, GOOD + "release: grade_only\ngrading: {names: [A, B], by: pd, cuts: [0.1]}\n")
    )
    draft = draft_of(room, {party: {"columns": []} for party in room.parties})
    assert draft["outputs"][-1] == {"to": "bank", "form": "grade_only"}
    assert draft["grading"] == {"names": ("A", "B"), "by": "pd", "cuts": (0.1,)}
    assert "two_party_score_reveals_part" not in draft["assumptions"]


@pytest.mark.parametrize(("kind", "release"), [("boosting", "grade_only"), ("logistic", "points")])
def test_a_release_that_the_kind_has_not_is_refused(tmp_path: Path, kind: str, release: str) -> None:
    text = GOOD.replace("kind: logistic", f"kind: {kind}").replace("l2: 2.0", "") + f"release: {release}\n"
    with pytest.raises(ConfigError, match=f"does not release {release} .yet.; use .*scores"):
        load_room(_file(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 3", "sed: 3", "sed: Extra inputs"),
        ("seed: 3", "seed: 3\nseed: 4", "'seed' is given twice"),
        ("label_holder: bank", "label_holder: shop", "'shop' is not among the parties"),
        ("label: y, ", "", "exactly the label holder names a label"),
        ("columns: [a, b]", "label: y", "exactly the label holder names a label"),
        ("kind: logistic", "kind: forest", "task.kind"),
        ("columns: [a, b]", "weight: w", "only the label holder names a weight column"),
        ("latency_ms: 5", "latency_ms: -5", "network.latency_ms"),
        ("source: tax.csv, ", "", "parties.tax.source"),
        ("  tax:  {source: tax.csv, id: uscc, columns: [a, b]}\n", "", "parties"),
        ("room: trial", "room: [", "not valid YAML"),
        ("seed: 3", "trust: blind", "trust"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, GOOD.replace(old, new))
    assert said in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_room(tmp_path / "absent.yaml")


def test_columns_may_be_described_and_bins_have_the_room_s_minimums(tmp_path: Path) -> None:
    text = GOOD.replace(
        "columns: [a, b]", "columns: [a, {name: b, type: numeric, special: [-1]}], as_of: 2025-01-31"
    )
    terms = "minimum_bin_rows: 30\nminimum_bin_events: 4\ndefault_definition: 90 days past due\n"
    room = load_room(_file(tmp_path, text + terms))
    description = described(room, "tax")
    assert description.special_codes == {"b": (-1.0,)}
    assert str(description.as_of) == "2025-01-31"
    assert [column.type for column in description.columns or ()] == [None, "numeric"]
    draft = draft_of(room, {party: {"columns": [{"name": "a"}]} for party in room.parties})
    assert (draft["minimum_bin_rows"], draft["minimum_bin_events"]) == (30, 4)
    assert draft["default_definition"] == "90 days past due"


def test_without_minimums_the_contract_s_own_hold(tmp_path: Path) -> None:
    room = load_room(_file(tmp_path, GOOD))
    draft = draft_of(room, {party: {"columns": [{"name": "a"}]} for party in room.parties})
    assert not {"minimum_bin_rows", "minimum_bin_events", "default_definition"} & set(draft)


def test_a_room_describes_data_as_dataset_yaml_does(tmp_path: Path) -> None:
    text = GOOD.replace(
        "label: y,", "label: {column: y, event: 是}, time_zone: UTC, consent: {source: c.csv},"
    ).replace("source: bank.csv", "source: {kind: csv, path: bank.csv, missing: [-999]}")
    room = load_room(_file(tmp_path, text))
    found = {party: {"columns": [{"name": f"{party}_a"}]} for party in room.parties}
    assert draft_of(room, found)["parties"]["bank"]["columns"]["y"] == "label"
    dataset = described(room, "bank")
    assert (dataset.event(), dataset.time_zone, dataset.source.missing) == ("是", "UTC", ("-999",))
    content = dataset_of(room, "bank")
    assert describe(content, tmp_path / "elsewhere", party="bank") == dataset.model_copy(
        update={"name": "trial"}
    )
