"""Labels in any two words, and what is said where they are not 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saferoom.data import DatasetDescription
from saferoom.data.dataset import describe_file
from saferoom.data.loading import read
from saferoom.errors import ConfigError

MakeDataset = Callable[..., DatasetDescription]
PAIRS = [("Yes", "No"), ("是", "否"), ("TRUE", "FALSE"), ("1", "-1"), ("坏", "好"), ("2", "1")]
PAIRS += [("1.0", "0.0")]


def _text(yes: str, no: str) -> str:
    return f"id,y,x\na,{yes},1\nb,{no},2\nc,{no},3\nd,{yes},4\n"


@pytest.mark.parametrize(("yes", "no"), PAIRS)
def test_the_event_is_named(make_dataset: MakeDataset, yes: str, no: str) -> None:
    reading = read(make_dataset(_text(yes, no), label={"column": "y", "event": yes}))
    assert reading.table.label is not None
    assert reading.table.label.tolist() == [1, 0, 0, 1]
    assert reading.version == read(make_dataset(_text("1", "0"), label="y")).version


@pytest.mark.parametrize("written", ["Yes", "是", "TRUE", "true", "-1", "1.0", '"Yes"'])
def test_the_event_is_named_in_yaml_as_it_stands_in_the_data(tmp_path: Path, written: str) -> None:
    """Whatever YAML makes of Yes, true and -1."""
    (tmp_path / "t.csv").write_text(_text(written.strip('"'), "other"), encoding="utf-8")
    (tmp_path / "dataset.yaml").write_text(
        "name: t\nsource: t.csv\nid: id\nid_kind: opaque\n" + f"label: {{column: y, event: {written}}}\n",
        encoding="utf-8",
    )
    label = read(describe_file(tmp_path / "dataset.yaml")).table.label
    assert label is not None
    assert label.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(("yes", "no"), [pair for pair in PAIRS if pair not in (PAIRS[2], PAIRS[6])])
def test_the_remedy_for_other_words_applies(make_dataset: MakeDataset, yes: str, no: str) -> None:
    with pytest.raises(ConfigError, match="must be 0 or 1 in every row") as caught:
        read(make_dataset(_text(yes, no), label="y"))
    assert "label: {column: …, event: …}" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_text("bad", "good"), "holds the named event in no row"),
        (_text("Yes", "No") + "e,maybe,5\n", "holds the named event in one of 3 values"),
        (_text("Yes", "No") + "e,,5\n", "of two values in every row; 1 rows are not, first row 5"),
    ],
)
def test_what_is_no_event_is_refused(make_dataset: MakeDataset, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(make_dataset(text, label={"column": "y", "event": "Yes"}))
