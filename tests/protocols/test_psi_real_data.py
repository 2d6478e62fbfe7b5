"""Alignment of real files with untidy and invalid ids gives exactly the rows that pooling them gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Session
from saferoom.data.identifiers import tidy_ids
from saferoom.protocols.psi import align, match

PARTIES = ("bank", "tax", "utility")
HELD_BY_ALL = {"gmsc": 138_217, "uci_default": 27_640, "bank_marketing": 41_661, "polish1": 6_477}


def clean_ids(path: Path) -> np.ndarray[Any, Any]:
    options = pyarrow.csv.ConvertOptions(include_columns=["uscc"], column_types={"uscc": pa.large_string()})
    raw = pyarrow.csv.read_csv(path, convert_options=options)["uscc"].combine_chunks()
    ids, valid, _ = tidy_ids(raw, "uscc")
    return np.random.default_rng(0).permutation(np.unique(ids[valid]))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", HELD_BY_ALL)
def test_as_many_rows_as_the_pooled_baseline(name: str, shared_data_dir: Path) -> None:
    ids = {party: clean_ids(shared_data_dir / name / f"{party}.csv") for party in PARTIES}
    network = MemoryNetwork()
    ends = {n: Session(network.endpoint(n), PARTIES, helper="helper") for n in (*PARTIES, "helper")}
    roles: dict[str, Any] = {party: lambda party=party: align(ends[party], ids[party]) for party in PARTIES}
    rows = run_together({**roles, "helper": lambda: match(ends["helper"])}, network)
    assert rows["helper"] == HELD_BY_ALL[name]
    bank = ids["bank"][rows["bank"]]
    assert len(np.unique(bank)) == HELD_BY_ALL[name]
    assert all(np.array_equal(bank, ids[party][rows[party]]) for party in PARTIES)
