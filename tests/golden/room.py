"""The room that golden jobs are played in: data that need work, and no two jobs that hang on one another.

    rows        gaps, codes, categories, a U shape; each party lacks some enterprises of the others
    free        without a split column: the split is drawn by the contract's seed
    weighted    with a weight column at the bank
    consented   with a table of consents, some of them for another purpose or expired

What the nodes draw by `secrets.token_bytes` in a job is made here of the job's name: the order of rows, which
sampled rows and drawn splits hang on; masks; values rounded at random. Keys of encryption and orders of bins
and candidates are drawn as always, and nothing that golden files hold depends on them.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from tests.golden.names import Contract, JobContext
from tests.node_room import Columns, Nodes, write_rows
from tests.scorecard_room import CODE, enterprises
from tests.task_room import Played, play

ROWS = 640
_LACKED = {"bank": (7, 64), "power": (5, 40), "tax": (3, 50)}
"""Of the enterprises, each party lacks those at first, first + step, …"""

PURPOSE = "sme-credit"


def data_of(party: str) -> Columns:
    """The enterprises that a party holds."""
    first, step = _LACKED[party]
    kept = [place for place in range(ROWS) if place % step != first]
    return {name: [values[place] for place in kept] for name, values in enterprises(ROWS)[party].items()}


def add_data(nodes: Nodes) -> None:
    """Register every data set at every party."""
    for party in _LACKED:
        rows = data_of(party)
        label = {"label": "y", "split": "split"} if party == "bank" else {}
        unsplit = {"label": "y"} if party == "bank" else {}
        described = _described(party)
        nodes.add_data(party, "rows", rows, columns=described, **label)
        free = {name: values for name, values in rows.items() if name != "split"}
        nodes.add_data(party, "free", free, columns=described, **unsplit)
        weights = {"w": [1 + place % 3 for place in range(len(rows["uscc"]))]} if party == "bank" else {}
        weighted = label | ({"weight": "w"} if party == "bank" else {})
        nodes.add_data(party, "weighted", rows | weights, columns=described, **weighted)
        write_rows(nodes.folder / f"{party}-consents.csv", _consents(rows["uscc"]))
        consent = {"consent": {"source": f"{party}-consents.csv"}}
        nodes.add_data(party, "consented", rows, columns=described, **label, **consent)


def _described(party: str) -> list[dict[str, Any]]:
    """Two of four columns have names that may be published as reasons."""
    columns: list[dict[str, Any]] = [
        {"name": f"{party}_{name}"} for name in ("gaps", "coded", "bent", "region")
    ]
    columns[0]["reason"] = f"{party} payment behaviour"
    columns[1]["special"] = [CODE]
    columns[3]["reason"] = f"{party} region"
    return columns


def _consents(ids: Any) -> Columns:
    """Most consent to the purpose; one in 20 has another purpose, one in 30 an end long ago."""
    count = len(ids)
    return {
        "uscc": ids,
        "purpose": ["marketing" if place % 20 == 9 else PURPOSE for place in range(count)],
        "valid_from": ["2001-01-01"] * count,
        "valid_to": ["2001-12-31" if place % 30 == 4 else None for place in range(count)],
        "document_hash": ["0" * 64] * count,
    }


@contextmanager
def drawn_from(name: str) -> Iterator[None]:
    """Let `secrets.token_bytes` give the same bytes in every run, each thread its own.

    What is drawn depends on how many draws of that length came before it in the same thread.
    """
    drawn: Counter[tuple[str, int]] = Counter()

    def token_bytes(count: int | None = None) -> bytes:
        size = 32 if count is None else count
        thread = threading.current_thread().name
        drawn[thread, size] += 1
        return hashlib.shake_256(f"{name} {thread} {size} {drawn[thread, size]}".encode()).digest(size)

    with patch.object(secrets, "token_bytes", token_bytes):
        yield


@dataclass(frozen=True)
class Job:
    """One job, and what each role worked with."""

    name: str
    contract: Contract
    played: Played
    contexts: dict[str, JobContext]
    phases: dict[str, list[str]]


def play_golden(nodes: Nodes, name: str, contract: Contract, kind: str = "train", **how: Any) -> Job:
    """Play a job by its name."""
    contexts: dict[str, JobContext] = {}
    phases: dict[str, list[str]] = {}

    def watch(context: JobContext) -> None:
        contexts[context.me], phases[context.me] = context, []
        context.end_phase = phases[context.me].append

    with drawn_from(name):
        played = play(nodes, contract, kind, on_context=watch, **how)
    return Job(name, contract, played, contexts, phases)
