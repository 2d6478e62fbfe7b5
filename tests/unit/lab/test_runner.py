"""Small parts of a lab run: phase times, the summary for people, the plaintext twin's edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.lab.house import dataset_name, draft_of
from saferoom.lab.room import Room, RoomParty, RoomTask
from saferoom.lab.runner import phase_seconds
from saferoom.lab.summary import summary_lines
from saferoom.lab.twin_rows import TwinRows
from saferoom.scoring.grade_table import grade_table
from saferoom.scoring.grade_tests import judge
from saferoom.scoring.standard import standard_scheme

QUALITY = {"auc": 0.75, "ks": 0.4, "gini": 0.5, "log_loss": 0.5, "brier": 0.2}


def _room(**more: Any) -> Room:
    return Room(
        room="Bank & tax 2025",
        label_holder="bank",
        parties={
            "bank": RoomParty(source="bank.csv", id="uscc", label="y", split="part"),
            "tax": RoomParty(source="tax.csv", id="code", id_kind="opaque"),
        },
        task=RoomTask(kind="logistic", params={"l2": 2.0}),
        **more,
    )


def test_a_phase_counts_from_when_the_last_one_came() -> None:
    spans = [{"phases": {"train": [10.0, 15.0]}}, {"phases": {"train": [12.0, 14.0], "store": [14.0, 15.0]}}]
    assert phase_seconds("train", spans) == 3.0
    assert phase_seconds("store", spans) == 1.0
    assert phase_seconds("align", spans) == 0.0


def test_the_draft_names_exactly_what_the_room_uses() -> None:
    columns = [{"name": "a"}, {"name": "b"}]
    draft = draft_of(_room(seed=4), {"bank": {"columns": columns}, "tax": {"columns": columns[:1]}})
    assert draft["parties"]["bank"]["columns"] == {
        "uscc": "id",
        "y": "label",
        "part": "split",
        "a": "feature",
        "b": "feature",
    }
    assert draft["parties"]["tax"]["columns"] == {"code": "id", "a": "feature"}
    assert draft["parties"]["tax"]["role"] == "feature_holder"
    assert draft["task"] == {"kind": "logistic", "params": {"l2": 2.0}, "split_seed": 4}
    assert "two_party_score_reveals_part" in draft["assumptions"]


def test_data_set_names_are_plain() -> None:
    assert dataset_name(_room()) == "Bank---tax-2025"


def test_the_summary_shows_joint_next_to_alone(tmp_path: Path) -> None:
    rows = ["a,train,1,0.5,500,D", "b,test,0,0.1,600,A", "c,test,0,0.1,600,A"]
    (tmp_path / "scores.csv").write_text(
        "\n".join(["id,split,y,pd,points,grade", *rows]) + "\n", encoding="utf-8"
    )
    metrics = {
        "room": "trial",
        "trust": "assisted",
        "rows_aligned": 3,
        "rows_train": 1,
        "rows_test": 2,
        "columns": {"bank": {"dropped": 1, "wrong_signs": 0}, "tax": {"dropped": 0, "wrong_signs": 3}},
        "test": QUALITY,
        "alone": {"test": None},
        "twin": {"test": QUALITY, "max_coef_diff": 0.00042},
        "seconds": {"train": 1.234},
        "bytes": {"bank->tax": 2_000_000},
        "logs_ok": False,
    }
    text = "\n".join(summary_lines(metrics, tmp_path))
    assert "joint           0.7500    0.4000" in text
    assert "alone                -         -" in text  # one class only among its held-out rows
    assert "WRONG SIGNS: 3 of tax" in text
    assert "difference to the twin: 0.00042" in text
    assert "A                2          0.0%" in text
    assert "D                1        100.0%" in text
    assert "2.0 MB between nodes" in text
    assert "NOT ALL VERIFY" in text


def test_the_summarys_sentences_are_in_the_language_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("id,split,y,pd,points,grade\n", encoding="utf-8")
    scheme = standard_scheme()
    table = grade_table(scheme.names, np.repeat([0, 3], 500), None, np.tile([0, 0, 0, 0, 1], 200))
    metrics = {
        **{"room": "trial", "trust": "assisted", "rows_aligned": 3, "rows_train": 1, "rows_test": 2},
        **{"columns": {}, "seconds": {}, "bytes": {}, "logs_ok": True},
        **{"test": QUALITY, "alone": {"test": None}},
        "grading": {"rows_of": "test", **judge(scheme, table).to_plain(table)},
    }
    for lang, words in (("zh", "承诺未兑现"), ("en", "the promise is broken")):
        text = "\n".join(summary_lines(metrics, tmp_path, lang))
        assert words in text
    assert "the promise is broken" not in "\n".join(summary_lines(metrics, tmp_path, "zh"))


@pytest.mark.parametrize(("y", "known"), [([0, 1, 1], True), ([1, 1, 1], False), ([], False)])
def test_rows_of_one_class_have_no_quality(y: list[int], known: bool) -> None:
    pd = np.linspace(0.1, 0.9, len(y))
    rows = TwinRows(
        np.array([], dtype="S1"),
        np.zeros(len(y), dtype=bool),
        np.array(y, dtype=np.int64),
        np.full(len(y), "A"),
        pd,
    )
    found = rows.measured(pd)
    assert found["train"] is None
    assert (found["test"] is not None) is known
