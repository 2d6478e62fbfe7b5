"""Entries as pages show them: read and proved in the request that shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from saferoom.audit.entries.schema import fault
from saferoom.audit.formats.canonical import decode
from saferoom.audit.formats.inclusion import EntryProof, EntryProver
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, read_event
from saferoom.console.reading.opened import OpenedLog
from saferoom.console.reading.sources import Snapshot
from saferoom.errors import SafeRoomError, VerificationError


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One entry. `proof` is there if it was proved, else `problem` says why not.

    `event` holds only what the schema allows: it is empty if the entry has a `fault`, and the exact bytes in
    `data` are all there is to see.
    """

    log: OpenedLog
    index: int
    data: bytes = b""
    event: dict[str, Any] = field(default_factory=dict)
    proof: EntryProof | None = None
    problem: str = ""
    fault: str = ""

    @property
    def anchor(self) -> str:
        """A name for this entry on a page."""
        return f"{self.log.name}-{self.index}"

    @property
    def raw(self) -> str:
        """The exact bytes as text; bytes that are no UTF-8 show as escapes."""
        return self.data.decode(errors="backslashreplace")

    @property
    def leniently(self) -> dict[str, Any]:
        """The event even if it has a fault. Only for texts that are escaped and shortened."""
        return self.event or read_event(self.data)


def load(evidence: Evidence, wanted: Iterable[tuple[int, int]]) -> list[ShownEntry]:
    """Entries by (log number, index), in the order given, each proved."""
    order = list(wanted)
    found: dict[tuple[int, int], ShownEntry] = {}
    for number in {log for log, _ in order}:
        indices = [index for log, index in order if log == number]
        for entry in _of_log(evidence, evidence.logs[number], indices):
            found[number, entry.index] = entry
    return [found[place] for place in order]


def load_rows(evidence: Evidence, columns: Columns, rows: Sequence[int]) -> list[ShownEntry]:
    """Entries by row numbers of the index."""
    return load(evidence, ((int(columns.log[row]), int(columns.entry[row])) for row in rows))


def _of_log(evidence: Evidence, log: OpenedLog, indices: list[int]) -> list[ShownEntry]:
    try:
        with log.file.opened() as snapshot:
            try:
                prover: EntryProver | str = EntryProver(snapshot, snapshot.note(), log.keys)
            except VerificationError as exc:
                prover = exc.message
            return [_entry(log, snapshot, prover, index) for index in indices]
    except SafeRoomError as exc:
        return [ShownEntry(log, index, problem=exc.message) for index in indices]


def _entry(log: OpenedLog, snapshot: Snapshot, prover: EntryProver | str, index: int) -> ShownEntry:
    data = b""
    try:
        for _, data in snapshot.entries(index, index + 1):  # noqa: B007 - one entry or none
            pass
        if isinstance(prover, str):
            raise VerificationError(prover)
        proof, problem = prover.prove(index), ""
        data = proof.data
    except SafeRoomError as exc:
        proof, problem = None, exc.message
    event, wrong = _read(data)
    return ShownEntry(log, index, data, event, proof, problem, wrong)


def _read(data: bytes) -> tuple[dict[str, Any], str]:
    """The event and what is wrong with it; no event if something is."""
    try:
        event = decode(data)
    except VerificationError as exc:
        return {}, exc.message
    wrong = fault(event)
    return ({}, wrong) if wrong else (event, "")
