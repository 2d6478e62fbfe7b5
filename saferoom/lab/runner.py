"""`saferoom lab run`: from a room file to metrics, scores, models, report and verified logs in one folder."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from saferoom import __version__
from saferoom.audit import copy_log, verify_log
from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.contract import Contract
from saferoom.errors import ConfigError
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.home import Home
from saferoom.kinds.registry import kind_names
from saferoom.lab.house import House, house
from saferoom.lab.room import Room
from saferoom.lab.twin import fit_twin
from saferoom.node.book import ContractBook
from saferoom.node.core import Core
from saferoom.node.operations.roles import party_operations
from saferoom.node.state import State
from saferoom.node.witnessing.quorums import quorum_of
from saferoom.tasks.registry import work_of

Told = Callable[[dict[str, Any] | str], None]
Then = Callable[[House, str], None]

FILES = ("scores.csv", "grades.json", "metrics.json", "report.html")
FOLDERS = ("model", "log")
PHASES = ("align", "prepare", "bin", "train", "release", "evaluate", "points", "grades")


@dataclass(frozen=True, slots=True)
class Options:
    """`twin`: also fit the pooled plaintext model. `lang`: zh or en, for the report."""

    twin: bool = False
    lang: str = "en"


def nothing_more(_house: House, _model: str) -> None:
    """The room is done when the model is trained."""


def run_room(
    room: Room, out: Path, options: Options, told: Told, then: Then = nothing_more
) -> dict[str, Any]:
    """Run the room; returns the content of metrics.json. Raises what any step raises; nodes are stopped.

    `then(house, model)` may do more with the trained model before the nodes are stopped.
    """
    _clear(out)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="saferoom-") as temporary:
        folder = Path(temporary)
        with house(room, folder, told) as rooms:
            told("data sets")
            registrations = rooms.add_data()
            _tell_warnings(registrations, told)
            told("contract")
            contract = rooms.agree(registrations)
            told("training")
            job = rooms.train(contract, told)
            measured = _measure(rooms, job)
            then(rooms, job)
        told("report")
        _issue_report(room, folder, (contract, job), options.lang)
        told("checking the logs")
        verdicts = collect(room, folder, (contract, job), out)
        metrics = _metrics(room, registrations, measured, out)
        metrics["seconds"]["total"] = round(time.perf_counter() - started, 3)
        metrics["logs_ok"] = all(verdict["ok"] for verdict in verdicts.values())
        if options.twin:
            told("the plaintext twin")
            metrics["twin"] = fit_twin(room, out)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1, ensure_ascii=False), encoding="utf-8")
    return metrics


def _tell_warnings(registrations: Mapping[str, Mapping[str, Any]], told: Told) -> None:
    for party, registration in registrations.items():
        for warning in registration["warnings"]:
            told(f"{party}: {warning}")


def collect(room: Room, folder: Path, ids: tuple[str, str], out: Path) -> dict[str, dict[str, Any]]:
    """Copy results, contract and logs out of the homes, and verify every log. `ids`: of contract and job.

    Returns the verdicts by node.
    """
    contract_id, job = ids
    tables = work_of(room.task.kind).tables
    for name in (*FOLDERS, *tables):
        (out / name).mkdir()
    for party in room.parties:
        models = folder / party / "models" / job
        shutil.copy(models / "model.json", out / "model" / f"{party}.json")
        for name in tables:
            for table in models.glob(f"{name}.*"):
                shutil.copy(table, out / name / f"{party}{table.suffix}")
    holder = folder / room.label_holder / "models" / job
    for name in FILES:
        if (holder / name).exists():
            shutil.copy(holder / name, out / name)  # private files stay private
    contract = _contract(folder / COORDINATOR, contract_id)
    (out / "log" / "contract.json").write_bytes(canonical_bytes(contract))
    verdicts = {}
    for node in (COORDINATOR, *room.parties):
        copy_log(folder / node / "log" / "log.db", out / "log" / f"{node}.db")
        key = _log_key(folder / node)
        (out / "log" / f"{node}.key").write_text(key + "\n", encoding="ascii")
        quorum = quorum_of(contract, node)
        verdicts[node] = verify_log(out / "log" / f"{node}.db", [key], quorum=quorum).to_dict()
    (out / "log" / "verify.json").write_text(
        json.dumps(verdicts, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    return verdicts


def _issue_report(room: Room, folder: Path, ids: tuple[str, str], lang: str) -> None:
    """At the label holder, once all nodes have stopped: with verdicts on all logs as they then stand."""
    contract = _contract(folder / COORDINATOR, ids[0])
    others = (node for node in (COORDINATOR, *room.parties) if node != room.label_holder)
    verdicts = {
        node: verify_log(
            folder / node / "log" / "log.db", [_log_key(folder / node)], quorum=quorum_of(contract, node)
        ).to_dict()
        for node in others
    }
    with Core.opened(Home.at(folder / room.label_holder)) as core:
        asked = {"model": ids[1], "lang": lang, "verdicts": verdicts}
        list(party_operations(core, None).handle("report.issue", asked))


def _log_key(home: Path) -> str:
    return (home / "log.key").read_text(encoding="ascii").strip()


def _contract(home: Path, contract_id: str) -> Contract:
    state = State.of(Home.at(home))
    try:
        return ContractBook(state).get(contract_id)
    finally:
        state.close()


def phase_seconds(phase: str, summaries: Iterable[Mapping[str, Any]]) -> float:
    """From when the last node entered a phase to when the last one left it: without waiting."""
    spans = [summary["phases"][phase] for summary in summaries if phase in summary["phases"]]
    return round(max(end for _, end in spans) - max(start for start, _ in spans), 4) if spans else 0.0


def _columns(facts: Mapping[str, Any]) -> dict[str, int]:
    """How many columns a party left out, and of a scorecard how many have the wrong sign."""
    names = {"dropped_columns": "dropped", "wrong_signs": "wrong_signs"}
    return {name: facts[fact] for fact, name in names.items() if fact in facts}


def _clear(out: Path) -> None:
    """Make OUT, without results of an earlier run: they shall not pass for those of one that fails."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (out / name).unlink(missing_ok=True)
        for name in (*FOLDERS, *(table for kind in kind_names() for table in work_of(kind).tables)):
            if (out / name).exists():
                shutil.rmtree(out / name)
    except OSError as error:
        raise ConfigError(
            f"cannot make or clear {out}: {error.strerror}", remedy="name another --out"
        ) from error


def _measure(rooms: House, job: str) -> dict[str, Any]:
    """What the job cost: per party from its summary, for the helper from the coordinator's."""
    summaries = {party: node.ask("job.show", job=job)["summary"] for party, node in rooms.parties.items()}
    ends = rooms.coordinator.ask("job.show", job=job)["summary"]
    summaries[HELPER] = ends[HELPER]
    daemons = {name: node.peak_memory_bytes() for name, node in rooms.nodes.items()}
    return {"summaries": summaries, "daemons": daemons}


def _metrics(
    room: Room, registrations: Mapping[str, Any], measured: Mapping[str, Any], out: Path
) -> dict[str, Any]:
    summaries = measured["summaries"]
    holder = summaries[room.label_holder]["facts"]
    quality = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    told = {phase for summary in summaries.values() for phase in summary["phases"]}
    seconds = {phase: phase_seconds(phase, summaries.values()) for phase in PHASES if phase in told}
    return {
        "room": room.room,
        "task": room.task.kind,
        "trust": room.trust,
        "release": room.release,
        "rows": {party: registrations[party]["counts"]["rows"] for party in room.parties},
        "rows_valid": {party: registrations[party]["counts"]["clean"] for party in room.parties},
        "rows_aligned": holder["aligned"],
        "rows_train": holder["train_rows"],
        "rows_test": holder["test_rows"],
        **quality,
        "iterations": holder["iterations"],
        "columns": {party: _columns(summaries[party]["facts"]) for party in room.parties},
        "seconds": seconds,
        "bytes": {
            f"{sender}->{receiver}": count
            for sender, summary in summaries.items()
            for receiver, count in summary["sent_bytes"].items()
        },
        "peak_memory_bytes": {
            **{f"{name} job": summary["peak_memory_bytes"] for name, summary in summaries.items()},
            **{f"{name} daemon": count for name, count in measured["daemons"].items()},
        },
        "versions": {
            "saferoom": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
