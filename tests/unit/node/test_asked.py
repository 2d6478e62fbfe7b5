"""Who of a list of enterprises cannot be scored: counted by reason, and listed for the recipient alone."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from saferoom.data import catalogue
from saferoom.data.dataset import describe
from saferoom.data.table import NumericColumn, PartyTable
from saferoom.errors import UsageError
from saferoom.jobs.home import Home
from saferoom.tasks.steps.asked import NOT_HELD, UNSCORED, Asked, check_holds


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


def test_one_enterprise_is_looked_for_before_a_job_is_spent(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("firm,x\n a1 ,1\nb2,2\n", encoding="utf-8")
    content = {"name": "list", "source": str(file), "id": "firm", "id_kind": "opaque"}
    home = Home.at(tmp_path / "home")
    registration = catalogue.register(describe(content, tmp_path, party="bank"), home.data)
    check_holds(registration, file, "a1")
    with pytest.raises(UsageError, match="does not hold"):
        check_holds(registration, file, "c3")
