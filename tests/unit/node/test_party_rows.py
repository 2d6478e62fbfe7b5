"""The rows a party brings to a job: weights only where the contract names them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from saferoom.data import describe, register
from saferoom.data.catalogue import recall
from saferoom.errors import ConfigError, RefusedError
from saferoom.jobs.home import Home
from saferoom.tasks.steps.rows import load_rows
from tests.unit.contracts.conftest import House

TEXT = "uscc,default,split,w,bank_a,bank_b\n1,0,train,2,3,4\n2,1,test,0.5,5,6\n"


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def context(house: House, folder: Path, *, kind: str = "boosting", named: str = "", **keys: str) -> Any:
    """The bank's side of a job; the contract names the weight column `named`, the data set has `keys`."""
    (folder / "bank.csv").write_text(TEXT, encoding="utf-8")
    described = {"name": "bank-2024", "source": "bank.csv", "id": "uscc", "id_kind": "opaque"}
    described |= {"label": "default", "split": "split", **keys}
    home = Home.at(folder / "home")
    register(describe(described, folder, party="bank"), home.data)
    draft = house.draft(task={"kind": kind})
    if named:
        draft["parties"]["bank"]["columns"][named] = "weight"
    contract = house.contract_of(draft)
    registration = recall(contract.parties["bank"].dataset, home.data)
    return SimpleNamespace(contract=contract, me="bank", home=home, registration=registration)


def test_weights_come_with_the_rows(house: House, tmp_path: Path) -> None:
    table = load_rows(context(house, tmp_path, named="w", weight="w"))
    assert table.weight is not None
    assert table.weight.tolist() == [2.0, 0.5]
    assert list(table.columns) == ["bank_a", "bank_b"]


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_weights_that_the_contract_does_not_name_are_not_used(
    house: House, tmp_path: Path, kind: str
) -> None:
    assert load_rows(context(house, tmp_path, kind=kind, weight="w")).weight is None


def test_a_data_set_without_the_weights_that_are_named(house: House, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names a weight column, and the data set has none") as caught:
        load_rows(context(house, tmp_path, named="w"))
    assert (caught.value.party, bool(caught.value.remedy)) == ("bank", True)


def test_other_weights_than_those_named_are_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="does not name bank's column 'w' for this use"):
        load_rows(context(house, tmp_path, named="v", weight="w"))
