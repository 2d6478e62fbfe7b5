"""Who of a list of enterprises cannot be scored: counted by reason, and listed for the recipient alone."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from saferoom.data import catalogue
from saferoom.data.dataset import describe
from saferoom.data.table import NumericColumn, PartyTable
from saferoom.errors import ConfigError, UsageError
from saferoom.jobs.home import Home
from saferoom.tasks.steps.asked import NOT_HELD, UNSCORED, Asked, count_asked


def _asked(*ids: bytes) -> Asked:
    column = NumericColumn(np.arange(len(ids), dtype=np.float64))
    table = PartyTable(ids=np.array(ids), columns={"x": column}, label=None, train=None)
    return Asked(table, ((np.array([b"BAD-\xe5\x8f\xb7"]), "id invalid"),))


def test_rows_that_not_every_party_holds_are_left_out(tmp_path: Path) -> None:
    asked = _asked(b"a1", b"b2", b"c3").keep(np.array([2, 0]))
    assert asked.table.ids.tolist() == [b"a1", b"c3"]
    assert asked.counts() == {"id invalid": 1, NOT_HELD: 1}
    asked.save(tmp_path)
    file = tmp_path / UNSCORED
    assert file.stat().st_mode & 0o777 == 0o600
    listed = list(csv.DictReader(file.open(encoding="utf-8")))
    assert listed == [
        {"id": "BAD-号", "reason": "id invalid"},
        {"id": "b2", "reason": NOT_HELD},
    ]


def test_nothing_is_written_if_all_can_be_scored(tmp_path: Path) -> None:
    asked = Asked(_asked(b"a1").table).keep(np.array([0]))
    asked.save(tmp_path)
    assert (asked.counts(), list(tmp_path.iterdir())) == ({}, [])


class _Model:
    """Of one column of numbers; a second one was dropped in training."""

    class preparation:
        types: ClassVar[dict[str, str]] = {"x": "numeric"}


def _registered(folder: Path) -> catalogue.Registration:
    (folder / "data.csv").write_text("firm,x,dropped\na1,1,1\nb2,2,1\n", encoding="utf-8")
    content = {"name": "data", "source": "data.csv", "id": "firm", "id_kind": "opaque"}
    return catalogue.register(describe(content, folder, party="bank"), Home.at(folder / "home").data)


def test_one_enterprise_is_looked_for_before_a_job_is_spent(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("firm,x\n a1 ,1\nb2,2\n", encoding="utf-8")
    registration = _registered(tmp_path)
    assert count_asked(registration, _Model(), {"input": str(file)}) == 2
    assert count_asked(registration, _Model(), {"input": str(file), "id": "a1"}) == 1
    with pytest.raises(UsageError, match="does not hold"):
        count_asked(registration, _Model(), {"input": str(file), "id": "c3"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("firm,y\na1,1\n", "there is no column 'x' among the 2"),
        ("firm,x\na1,much\n", "column 'x' should be numeric, but row 1 holds something else"),
        ("firm,x\na1,1\na1,2\n", "2 have an id that other rows give other content"),
    ],
)
def test_a_list_that_no_job_can_read_costs_none(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        count_asked(_registered(tmp_path), _Model(), {"input": str(file)})
