"""Seconds a boosted tree takes across parties: real processes on loopback, mutual TLS, logs.

    python scripts/bench_boosting.py [--rows 100000] [--trees 4] [--only NAME ...] [--large]

The label holder has 20 columns, one feature holder 40; 32 bins, depth 5. Prints one JSON object: of each
encryption the seconds of one tree (the job's phase `train` with its key, over the number of trees), processor
seconds of both jobs with their workers, megabytes a tree, and peak memory of the job processes; and in the
same run one tree of the plain twin and of XGBoost's `hist` on the pooled plaintext. `--large` adds other
numbers of rows and columns, to show how time grows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from xgboost import XGBClassifier

from saferoom.lab.benchmark_data import write_benchmark_files
from saferoom.lab.house import House, draft_of, house
from saferoom.lab.room import Room
from saferoom.lab.runner import phase_seconds
from saferoom.models.boosting.columns import binned, number_bins
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.models.boosting.settings import BoostingSettings

Result = dict[str, Any]

BANK_COLUMNS, TAX_COLUMNS = 20, 40
GROWTH = {"max_depth": 5, "max_bin": 32, "learning_rate": 0.1}
KEYS: dict[str, Result] = {
    f"{scheme} {bits} {randomness}": {"scheme": scheme, "key_bits": bits, "randomness": randomness}
    for scheme, bits, randomness in (
        ("okamoto-uchiyama", 2048, "full"),
        ("okamoto-uchiyama", 2048, "subgroup"),
        ("okamoto-uchiyama", 3072, "full"),
        ("okamoto-uchiyama", 3072, "subgroup"),
        ("paillier", 2048, "full"),
        ("paillier", 2048, "subgroup"),
        ("paillier", 3072, "full"),
    )
}
GOSS = "okamoto-uchiyama 2048 full, GOSS 0.2 and 0.1"
PARAMS = KEYS | {GOSS: KEYS["okamoto-uchiyama 2048 full"] | {"top_rate": 0.2, "other_rate": 0.1}}


def room_of(folder: Path, rows: int, columns: dict[str, int]) -> Room:
    files = write_benchmark_files(folder, columns, rows=rows, label_holder="bank")
    parties = {party: {"source": str(path), "id": "uscc"} for party, path in files.items()}
    parties["bank"] |= {"label": "y", "split": "split"}
    task = {"kind": "boosting", "params": GROWTH}
    return Room.model_validate(
        {"room": "bench", "label_holder": "bank", "parties": parties, "task": task, "folder": folder}
    )


def measured(nodes: House, registrations: Any, name: str, params: Result, trees: int) -> Result:
    """One job under a contract of its own."""
    draft = draft_of(nodes.room, registrations)
    draft |= {"id": "".join(c if c.isalnum() else "-" for c in name)}
    draft["task"] = {"kind": "boosting", "params": GROWTH | params | {"n_estimators": trees}}
    job = nodes.train(nodes.agree_on(draft), lambda _: None)
    found = {party: node.ask("job.show", job=job)["summary"] for party, node in nodes.parties.items()}
    sent = {
        f"{sender}->{peer}": round(size / trees / 1e6, 2)
        for sender, summary in found.items()
        for peer, size in summary["sent_bytes"].items()
        if peer in found
    }
    return {
        "seconds_a_tree": round(phase_seconds("train", found.values()) / trees, 3),
        "megabytes_a_tree": sent,
        "peak_memory_mb": {party: round(s["peak_memory_bytes"] / 1e6) for party, s in found.items()},
    }


def plain_seconds(room: Room, trees: int) -> Result:
    """One tree of the plain twin, and of XGBoost, on the pooled training rows."""
    tables = {party: pq.read_table(str(part.source)) for party, part in room.parties.items()}
    blocks, y = {}, np.empty(0)
    for party, table in tables.items():
        order = np.argsort(table["uscc"].to_numpy())
        if party == "bank":
            y = table["y"].to_numpy()[order].astype(np.float64)
            is_train = table["split"].to_numpy(zero_copy_only=False)[order] == "train"
        names = [name for name in table.column_names if name not in ("uscc", "y", "split")]
        blocks[party] = np.column_stack([table[name].to_numpy() for name in names])[order]
    features = {}
    for party, block in blocks.items():
        columns = [block[is_train, place].astype(np.float64) for place in range(block.shape[1])]
        of_columns = [(number_bins(values, 32), values) for values in columns]
        features[party] = [binned(bins, bins.assign(values)) for bins, values in of_columns if bins]
    settings = BoostingSettings(n_estimators=trees, max_depth=5, max_bin=32, learning_rate=0.1)
    started = time.perf_counter()
    fit_boosting_plain(features, y[is_train], "bank", settings)
    twin = (time.perf_counter() - started) / trees
    pooled = np.hstack(list(blocks.values()))[is_train]
    found = []
    for count in (trees, 5 * trees):  # the difference leaves out the quantiles, made once
        model = XGBClassifier(tree_method="hist", n_estimators=count, max_depth=5, max_bin=32, n_jobs=2)
        started = time.perf_counter()
        model.fit(pooled, y[is_train])
        found.append(time.perf_counter() - started)
    return {"plain_twin": round(twin, 3), "xgboost": round((found[1] - found[0]) / (4 * trees), 4)}


def of_size(rows: int, columns: dict[str, int], names: list[str], trees: int, *, plain: bool) -> Result:
    with tempfile.TemporaryDirectory(prefix="saferoom-bench-") as temporary:
        folder = Path(temporary)
        room = room_of(folder, rows, columns)
        with house(room, folder, lambda _: None) as nodes:
            registrations = nodes.add_data()
            found: Result = {
                name: measured(nodes, registrations, name, PARAMS[name], trees) for name in names
            }
        if plain:
            found["plaintext_seconds_a_tree"] = plain_seconds(room, trees)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--trees", type=int, default=4)
    parser.add_argument("--only", nargs="*", default=list(PARAMS), choices=list(PARAMS))
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    columns = {"bank": BANK_COLUMNS, "tax": TAX_COLUMNS}
    found = {
        "rows": arguments.rows,
        "columns": columns,
        **of_size(arguments.rows, columns, arguments.only, arguments.trees, plain=True),
    }
    if arguments.large:
        quick, wide = ["okamoto-uchiyama 2048 full"], {"bank": BANK_COLUMNS, "tax": 2 * TAX_COLUMNS}
        found["twice the columns"] = of_size(arguments.rows, wide, quick, 2, plain=False)
        found["a tenth of the rows"] = of_size(arguments.rows // 10, columns, quick, 4, plain=False)
        found["ten times the rows"] = of_size(arguments.rows * 10, columns, quick, 1, plain=False)
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
