"""`make bench`: what SafeRoom costs, as ratios to a peer or to plaintext measured in the same run.

    python scripts/bench.py [--only NAME ...] [--write docs/performance.md]

Every training figure comes from real processes on loopback: a coordinator with its helper and three party
nodes, with mutual TLS, sealed flows, contracts and logs. Figures depend on the machine; ratios less so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from saferoom.he import lanes_kernel
from saferoom.lab.benchmark_data import write_benchmark_files
from saferoom.lab.house import House, house
from saferoom.lab.room import Room
from saferoom.lab.runner import phase_seconds

PARTIES = ("bank", "tax", "utility")
COLUMNS = 20
Result = dict[str, Any]


def benchmark_room(folder: Path, rows: int, task: Result | None = None) -> Room:
    """A room of three parties with 20 columns each; half the variance from ten common factors."""
    files = write_benchmark_files(folder, dict.fromkeys(PARTIES, COLUMNS), rows=rows, label_holder="bank")
    parties = {party: {"source": str(path), "id": "uscc"} for party, path in files.items()}
    parties["bank"] |= {"label": "y", "split": "split"}
    content = {
        "room": f"bench-{rows}",
        "label_holder": "bank",
        "parties": parties,
        "task": task or {"kind": "logistic", "params": {"l2": 1.0}},
        "folder": folder,
    }
    return Room.model_validate(content)


def summaries_of(nodes: House, job: str) -> dict[str, Result]:
    """What each endpoint reports of a job."""
    found = {party: node.ask("job.show", job=job)["summary"] for party, node in nodes.parties.items()}
    found["helper"] = nodes.coordinator.ask("job.show", job=job)["summary"]["helper"]
    return found


def silent(_item: Any) -> None:
    """Progress that nobody watches."""


def plaintext_seconds(room: Room, runs: int) -> float:
    """scikit-learn's `LogisticRegression` on the pooled plaintext: median seconds of one fit."""
    blocks = []
    for party in PARTIES:
        table = pq.read_table(str(room.parties[party].source))
        names = [name for name in table.column_names if name not in ("uscc", "y", "split")]
        order = np.argsort(table["uscc"].to_numpy())
        blocks.append(np.column_stack([table[name].to_numpy() for name in names])[order])
        if party == "bank":
            y = table["y"].to_numpy()[order]
            is_train = table["split"].to_numpy(zero_copy_only=False)[order] == "train"
    x, y = np.hstack(blocks)[is_train], y[is_train]
    x = (x - x.mean(0)) / x.std(0)
    model = LogisticRegression(tol=1e-4, max_iter=1000)
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        model.fit(x, y)
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def training(rows: int, runs: int) -> Result:
    """Joint training at `rows` training rows × 60 columns, beside scikit-learn on the pooled plaintext."""
    with tempfile.TemporaryDirectory(prefix="saferoom-bench-") as temporary:
        folder = Path(temporary)
        room = benchmark_room(folder, rows)
        with house(room, folder, silent) as nodes:
            contract = nodes.agree(nodes.add_data())
            found = [summaries_of(nodes, nodes.train(contract, silent)) for _ in range(runs)]
            daemons = {name: node.peak_memory_bytes() for name, node in nodes.nodes.items()}
        seconds = {
            phase: statistics.median(phase_seconds(phase, run.values()) for run in found)
            for phase in ("load", "align", "prepare", "train", "evaluate", "release")
        }
        facts = found[0]["bank"]["facts"]
        plain = plaintext_seconds(room, 5)
    sent = {
        f"{sender}->{peer}": size
        for sender, run in found[0].items()
        for peer, size in run["sent_bytes"].items()
    }
    memory = {f"{name} job": run["peak_memory_bytes"] for name, run in found[0].items()}
    memory |= {f"{name} daemon": size for name, size in daemons.items()}
    return {
        "rows": rows,
        "train_rows": facts["train_rows"],
        "seconds": seconds,
        "plaintext_seconds": plain,
        "ratio": seconds["train"] / plain,
        "megabytes": {flow: round(size / 1e6, 1) for flow, size in sent.items()},
        "peak_memory_mb": {name: round(size / 1e6) for name, size in memory.items()},
    }


def scoring(rows: int) -> Result:
    """Batch scoring of `rows` enterprises held by three parties, after a training job."""
    with tempfile.TemporaryDirectory(prefix="saferoom-bench-") as temporary:
        folder = Path(temporary)
        room = benchmark_room(folder, rows)
        with house(room, folder, silent) as nodes:
            contract = nodes.agree(nodes.add_data())
            model = nodes.train(contract, silent)
            started = time.perf_counter()
            answer = nodes.score(model, Path(str(room.parties["bank"].source)), folder / "scores.csv", silent)
            wall = time.perf_counter() - started
            found = summaries_of(nodes, str(answer["job_id"]))
    phases = ("load", "align", "score", "store")
    return {
        "rows": answer["rows"],
        "wall_seconds": wall,
        "seconds": {p: phase_seconds(p, found.values()) for p in phases},
    }


def scorecard(rows: int, key_bits: int) -> Result:
    """A whole scorecard job at `rows` training rows × 60 columns: from the files to points."""
    with tempfile.TemporaryDirectory(prefix="saferoom-bench-") as temporary:
        folder = Path(temporary)
        task = {"kind": "scorecard", "params": {"l2": 1.0, "key_bits": key_bits}}
        room = benchmark_room(folder, rows, task)
        with house(room, folder, silent) as nodes:
            contract = nodes.agree(nodes.add_data())
            started = time.perf_counter()
            found = summaries_of(nodes, nodes.train(contract, silent))
            wall = time.perf_counter() - started
    phases = ("load", "align", "prepare", "bin", "train", "evaluate", "release", "points", "store")
    return {
        "rows": rows,
        "train_rows": found["bank"]["facts"]["train_rows"],
        "key_bits": key_bits,
        "wall_seconds": wall,
        "seconds": {phase: phase_seconds(phase, found.values()) for phase in phases},
        "cpu_seconds": {name: run["cpu_seconds"] for name, run in found.items()},
        "sent_megabytes": {name: sum(run["sent_bytes"].values()) / 1e6 for name, run in found.items()},
        "peak_memory_mb": {name: round(run["peak_memory_bytes"] / 1e6) for name, run in found.items()},
    }


def two_jobs(rows: int) -> Result:
    """Two training jobs at once, beside one alone."""
    with tempfile.TemporaryDirectory(prefix="saferoom-bench-") as temporary:
        folder = Path(temporary)
        room = benchmark_room(folder, rows)
        with house(room, folder, silent) as nodes:
            contract = nodes.agree(nodes.add_data())
            started = time.perf_counter()
            nodes.train(contract, silent)
            alone = time.perf_counter() - started
            threads = [threading.Thread(target=nodes.train, args=(contract, silent)) for _ in range(2)]
            started = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            together = time.perf_counter() - started
    return {"rows": rows, "one_job_seconds": alone, "two_jobs_seconds": together, "ratio": together / alone}


def other_script(name: str, *arguments: str) -> Result:
    """A benchmark of its own, in its own process."""
    command = [sys.executable, str(Path(__file__).parent / name), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Result = json.loads(done.stdout)
    return found


BENCHMARKS: dict[str, Callable[[], Result]] = {
    "link": lambda: other_script("bench_link.py"),
    "audit": lambda: other_script("bench_audit.py"),
    "homomorphic encryption": lambda: other_script("bench_he.py"),
    "training 10,000 × 60": lambda: training(10_000, 3),
    "training 100,000 × 60": lambda: training(100_000, 3),
    "training 1,000,000 × 60": lambda: training(1_000_000, 1),
    "scoring 1,000,000 × 3": lambda: scoring(1_000_000),
    "scorecard 100,000 × 60, 2048 bits": lambda: scorecard(100_000, 2048),
    "scorecard 100,000 × 60, 3072 bits": lambda: scorecard(100_000, 3072),
    "boosted trees": lambda: other_script("bench_boosting.py", "--large"),
    "two jobs at once": lambda: two_jobs(100_000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(BENCHMARKS), choices=list(BENCHMARKS))
    parser.add_argument("--write", type=Path, help="a Markdown file to write the figures to")
    arguments = parser.parse_args()
    found: dict[str, Result] = {}
    for name in arguments.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found[name] = BENCHMARKS[name]()
        print(json.dumps({name: found[name]}, indent=1), flush=True)
    if arguments.write:
        arguments.write.write_text(report(found), encoding="utf-8")


def report(found: dict[str, Result]) -> str:
    """The figures as Markdown, with the command that made them."""
    processor = platform.processor() or platform.machine()
    products = "by vector instructions" if lanes_kernel.available() else "by GMP"
    lines = [
        "# Performance",
        "",
        f"Made by `make bench`: Python {platform.python_version()}, {processor}, {os.cpu_count()} cores,",
        "loopback. Ratios are to scikit-learn on the pooled plaintext in the same run.",
        f"Products of ciphertexts: {products} ([0018](adr/0018-vectorised-products.md)).",
        "",
    ]
    for name, result in found.items():
        lines += [f"## {name}", "", "| figure | value |", "|---|---|"]
        lines += [f"| {key} | {value} |" for key, value in _flat(result)]
        lines.append("")
    return "\n".join(lines)


def _flat(result: Result, prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in result.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}: ")
        else:
            rows.append((prefix + key, f"{value:.4g}" if isinstance(value, float) else f"{value}"))
    return rows


if __name__ == "__main__":
    main()
