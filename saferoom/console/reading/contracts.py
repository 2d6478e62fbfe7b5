"""Contracts: who approved what, who learnt what, under which contract, from all opened logs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from saferoom.arrays import Mask
from saferoom.console.reading.entries import ShownEntry, load_rows
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, oldest_first

MAX_ACTS = 400

AGREEMENT = (
    "contract.drafted",
    "contract.approved",
    "contract.refused",
    "contract.signed",
    "contract.activated",
    "contract.expired",
    "contract.revoked",
)
"""The events by which a contract comes to be and ends, in the order they are told."""


@dataclass(frozen=True, slots=True)
class ContractLine:
    """One contract in the list. Times in milliseconds since 1970; `ended` is expired, revoked or empty."""

    id: str
    hashes: tuple[str, ...]
    purposes: tuple[str, ...]
    first: int
    last: int
    entries: int
    logs: int
    approvals: int
    jobs: int
    disclosures: int
    refused: int
    ended: str


def contract_lines(evidence: Evidence, columns: Columns) -> list[ContractLine]:
    """Every contract any log names, the newest first."""
    lines = [contract_line(evidence, columns, text) for text in evidence.index.counts(columns, "contract")]
    return sorted(lines, key=lambda line: (line.last, line.id), reverse=True)


def contract_line(evidence: Evidence, columns: Columns, contract: str) -> ContractLine:
    """What the index knows about a contract."""
    index, facets = evidence.index, columns.facets
    rows = index.where(columns, "contract", contract)
    types = index.counts(columns, "type", rows)
    times = columns.time[rows]
    sessions = facets["session"][rows]
    return ContractLine(
        id=contract,
        hashes=tuple(index.counts(columns, "contract_hash", rows)),
        purposes=tuple(index.counts(columns, "purpose", rows)),
        first=int(times.min()) if len(times) else -1,
        last=int(times.max()) if len(times) else -1,
        entries=int(rows.sum()),
        logs=len(np.unique(columns.log[rows])),
        approvals=types.get("contract.approved", 0),
        jobs=len(np.unique(sessions[sessions > 0])),
        disclosures=types.get("disclosure", 0),
        refused=index.counts(columns, "outcome", rows).get("refused", 0),
        ended=next((kind[9:] for kind in ("contract.revoked", "contract.expired") if kind in types), ""),
    )


def acts_of_agreement(evidence: Evidence, columns: Columns, contract: str) -> list[ShownEntry]:
    """Drafted, approved, signed, activated, ended: by whom and when, the oldest first."""
    rows = evidence.index.where(columns, "contract", contract) & evidence.index.where(
        columns, "type", *AGREEMENT
    )
    return load_rows(evidence, columns, [int(row) for row in oldest_first(columns, rows)[:MAX_ACTS]])


@dataclass(slots=True)
class Learnt:
    """One kind of value that somebody learnt. `times`: how often each log tells it, by log number."""

    to: str
    kind: str
    shapes: Counter[str] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    first: int = -1
    last: int = -1


def learnt(evidence: Evidence, columns: Columns, rows: Mask) -> list[Learnt]:
    """Who learnt what among `rows`, by recipient and kind; refused disclosures are counted apart."""
    index = evidence.index
    found = np.flatnonzero(rows & index.where(columns, "type", "disclosure"))
    names = ("to", "kind", "shape", "outcome")
    keys = np.stack([columns.log[found], *(columns.facets[name][found] for name in names)])
    unique, place = np.unique(keys, axis=1, return_inverse=True)
    lines: dict[tuple[str, str], Learnt] = {}
    for at, (log, *codes) in enumerate(unique.T.tolist()):
        to, kind, shape, outcome = (
            index.names[name].texts[code] for name, code in zip(names, codes, strict=True)
        )
        times = columns.time[found[place.ravel() == at]]
        line = lines.setdefault((to, kind), Learnt(to, kind))
        if outcome == "allowed":
            line.shapes[shape] += len(times)
            line.times[log] += len(times)
            line.first = min(int(times.min()), line.first) if line.first >= 0 else int(times.min())
            line.last = max(int(times.max()), line.last)
        else:
            line.refused += len(times)
    return [lines[key] for key in sorted(lines)]
