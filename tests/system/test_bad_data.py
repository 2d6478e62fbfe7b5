"""Whatever is wrong with the data is found where it lies, told to everybody by name, and costs nothing else.

One room serves all these tests: each job is at the same time the proof that the nodes survived the one
before it; the last is run to its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from saferoom.errors import ConfigError
from saferoom.lab.house import house
from tests.desk_room import PATIENCE, Desk, empty_room
from tests.node_room import PARTIES, Columns, enterprises

ROWS = 400
IDS, PARTS = enterprises(ROWS)
ALL = dict.fromkeys(PARTIES, "good")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with house(empty_room(), tmp_path_factory.mktemp("bad-data"), lambda _text: None, PATIENCE) as running:
        desk = Desk(running, tmp_path_factory.mktemp("rows"))
        for party in PARTIES:
            add(desk, party, "good")
        yield desk


def add(desk: Desk, party: str, name: str, **columns: object) -> dict[str, object]:
    """Register a party's usual columns, some of them exchanged."""
    content: Columns = {**PARTS[party], **columns}  # type: ignore[dict-item]
    label = {"label": "y", "split": "split"} if party == "bank" else {}
    return desk.add(party, name, content, **label)


@pytest.mark.parametrize("value", [2, -1, 0.5, None, "yes", ""])
def test_a_label_that_is_not_0_or_1_is_found_at_registration(desk: Desk, value: object) -> None:
    labels = [value if row == 7 else y for row, y in enumerate(PARTS["bank"]["y"])]
    with pytest.raises(ConfigError) as caught:
        add(desk, "bank", "bad-label", y=labels)
    error = caught.value
    assert "'y'" in error.message and error.party == "bank" and error.remedy
    assert "bad-label" not in desk.node("bank").ask("status")["datasets"]


def test_a_party_whose_only_column_is_empty(desk: Desk) -> None:
    desk.add("power", "empty", {"uscc": IDS, "power_a": [None] * ROWS})
    job = desk.submit(desk.agree(ALL | {"power": "empty"}))
    desk.assert_failed(job, PARTIES, names="power", words="no usable column")


def test_one_class_only_in_the_training_rows(desk: Desk) -> None:
    """The rows held out hold both classes: only the label holder can see it, and only it may say so."""
    split = ["test" if y else "train" for y in PARTS["bank"]["y"]]
    add(desk, "bank", "one-class", split=split)
    job = desk.submit(desk.agree(ALL | {"bank": "one-class"}))
    desk.assert_failed(job, PARTIES, names="bank", words="one class")


def test_one_class_in_the_whole_label_is_warned_of_at_registration(desk: Desk) -> None:
    found = add(desk, "bank", "no-default", y=[0] * ROWS)
    assert any("one class" in warning for warning in found["warnings"])  # type: ignore[attr-defined]


def test_ids_that_do_not_overlap(desk: Desk) -> None:
    strangers, _ = enterprises(ROWS, seed=99)
    add(desk, "tax", "strangers", uscc=strangers)
    job = desk.submit(desk.agree(ALL | {"tax": "strangers"}))
    desk.assert_failed(job, PARTIES, names=None, words="no enterprise in common")
    problem = desk.ended("bank", job)["problem"]
    assert "id" in problem["remedy"]


def test_an_intersection_below_the_minimum_releases_nothing(desk: Desk) -> None:
    job = desk.submit(desk.agree(ALL, minimum_rows=ROWS + 1))
    desk.assert_failed(job, PARTIES, names=None, words="minimum")
    problem = desk.ended("tax", job)["problem"]
    assert problem["error"] == "RefusedError" and problem["step"].startswith("align")
    assert str(ROWS) not in problem["message"], "how many there are is not told"


def test_a_data_set_that_was_registered_anew_with_other_rows(desk: Desk) -> None:
    """A contract may pin the version; other content is then another data set."""
    first = add(desk, "power", "pinned")
    parties = _terms(desk, ALL | {"power": "pinned"})
    parties["power"]["version"] = first["version"]
    contract = desk.agree(ALL | {"power": "pinned"}, parties=parties)
    add(desk, "power", "pinned", power_a=[0.5 * row for row in range(ROWS)])
    job = desk.submit(contract)
    desk.assert_failed(job, PARTIES, names="power", words="version")


def test_a_data_set_that_is_gone(desk: Desk) -> None:
    add(desk, "tax", "short-lived")
    contract = desk.agree(ALL | {"tax": "short-lived"})
    desk.node("tax").ask("data.remove", dataset="short-lived")
    job = desk.submit(contract)
    desk.assert_failed(job, PARTIES, names="tax", words="no data set")


def test_a_data_file_that_is_gone(desk: Desk) -> None:
    add(desk, "power", "file-gone")
    contract = desk.agree(ALL | {"power": "file-gone"})
    (desk.folder / "power-file-gone.csv").unlink()
    job = desk.submit(contract)
    desk.assert_failed(job, PARTIES, names="power")


def test_constant_and_empty_columns_are_dropped_and_noted_and_the_job_works(desk: Desk) -> None:
    found = add(desk, "tax", "two-dull", constant=[3.5] * ROWS, empty=[None] * ROWS)
    warnings = " ".join(found["warnings"])  # type: ignore[arg-type]
    assert "'constant' is constant" in warnings and "'empty' has no value" in warnings
    job = desk.submit(desk.agree(ALL | {"tax": "two-dull"}))
    desk.finish(job, PARTIES)
    model = json.loads((desk.node("tax").home / "models" / job / "model.json").read_text("utf-8"))
    assert set(model["preparation"]["dropped"]) == {"constant", "empty"}
    assert model["columns"] == ["tax_a", "tax_b"]
    assert len(model["coefficients"]) == 2


def _terms(desk: Desk, datasets: dict[str, str]) -> dict[str, dict[str, object]]:
    """The parties' terms as the desk drafts them, without keys."""
    found = desk.node("coordinator").ask("contract.show", contract=desk.propose(datasets))
    return {
        party: {key: value for key, value in terms.items() if key != "keys" and value is not None}
        for party, terms in found["contract"]["parties"].items()
    }
