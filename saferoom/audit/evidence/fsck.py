"""Everything about one log, recomputed from stored bytes: what `verify_log` checks, and around it.

log             indices, bytes, schema, sessions, tree, tiles, every checkpoint, signatures, quorum
cosignatures    their times: none before the entries they cover, none in the future
anchors         checkpoints of other logs that this one saw, against those logs
identifiers     no enterprise code in any byte of any file, nor what the auditor looks for, nor its plain hash
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any

from saferoom.audit.evidence.sources import Reader, open_log
from saferoom.audit.evidence.verdict import Verdict
from saferoom.audit.evidence.verify import verify_log
from saferoom.audit.formats.canonical import decode
from saferoom.audit.formats.merkle import RightEdge, leaf_hash
from saferoom.audit.witness.quorum import Quorum
from saferoom.errors import VerificationError
from saferoom.ids import is_valid_uscc

MAX_FAULTS = 100
CLOCKS_S = 300.0
_EVERYTHING = 2**62
_CODE = re.compile(rb"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Fsck:
    """The verdict, and what each further check found: nothing, if all is well."""

    verdict: Verdict
    faults: dict[str, tuple[str, ...]]

    @property
    def ok(self) -> bool:
        return self.verdict.ok and not any(self.faults.values())

    def exit_code(self) -> int:
        """The verdict's own, or 1 if it passed and something around it did not."""
        return self.verdict.exit_code() or (0 if self.ok else 1)

    def to_dict(self) -> dict[str, Any]:
        checks = {"log": list(self.verdict.faults)} | {
            name: list(found) for name, found in self.faults.items()
        }
        return {"ok": self.ok, "verdict": self.verdict.to_dict(), "checks": checks}


def fsck(
    path: Path,
    keys: Sequence[str] = (),
    *,
    quorum: Quorum | None = None,
    others: Sequence[Reader] = (),
    canaries: Iterable[str] = (),
    now: datetime | None = None,
) -> Fsck:
    """Check the log in a database or an exported folder, and what lies beside it.

    `others`: logs that the anchors are compared with. `canaries`: texts that must stand nowhere. Raises as
    `verify_log`.
    """
    now = now or datetime.now(UTC)
    verdict = verify_log(path, keys, quorum=quorum, now=now)
    faults = {"cosignatures": (), "anchors": (), "identifiers": tuple(_leaks(path, list(canaries)))}
    log = open_log(path)
    try:
        faults |= {"cosignatures": tuple(_bad_times(log, now)), "anchors": tuple(_bad_anchors(log, others))}
    except VerificationError as error:
        faults["anchors"] = (error.message,)
    finally:
        log.close()
    return Fsck(verdict, {name: found[:MAX_FAULTS] for name, found in faults.items()})


def _bad_times(log: Reader, now: datetime) -> Iterator[str]:
    given = sorted(log.cosignatures(), key=lambda one: one.size)
    if not given:
        return
    sizes, times = {one.size for one in given}, {}
    for index, data in log.entries(0, _EVERYTHING):
        if index + 1 in sizes:
            times[index + 1] = datetime.fromisoformat(decode(data)["time"]).timestamp()
    for one in given:
        blob = base64.b64decode(one.line.rpartition(" ")[2])
        time_s = int.from_bytes(blob[4:12], "big")
        if time_s + CLOCKS_S < times.get(one.size, 0.0):
            yield f"{one.witness} cosigned {one.size} entries before the last of them was written"
        if time_s > now.timestamp() + CLOCKS_S:
            yield f"{one.witness} cosigned {one.size} entries in the future"


def _bad_anchors(log: Reader, others: Sequence[Reader]) -> Iterator[str]:
    seen: dict[str, dict[int, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for index, data in log.entries(0, _EVERYTHING):
        event = decode(data) if b'"anchors"' in data else {}
        # An alarm shows two heads, of which at most one can be true: that is its point.
        if event.get("type") != "witness.alarm":
            for anchor in event.get("anchors", []):
                seen[anchor["origin"]][anchor["size"]].append((index, anchor["root"]))
    for other in others:
        origin = other.identity().origin
        if origin in seen:
            yield from _compare_anchors(origin, other, seen[origin])


def _compare_anchors(origin: str, other: Reader, anchors: dict[int, list[tuple[int, str]]]) -> Iterator[str]:
    edge = RightEdge()
    roots = {0: edge.root().hex()}
    for _, data in other.entries(0, max(anchors)):
        edge.append(leaf_hash(data))
        if edge.size in anchors:
            roots[edge.size] = edge.root().hex()
    for size, claims in sorted(anchors.items()):
        for index, root in claims:
            if size not in roots:
                yield f"entry {index} saw {size} entries of {origin}, which has {edge.size} now: it was cut"
            elif roots[size] != root:
                yield f"entry {index} saw another root of the first {size} entries of {origin}"


def _leaks(path: Path, canaries: Sequence[str]) -> Iterator[str]:
    """Names files and kinds, never the identifiers."""
    beside = [path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal")]
    files = sorted(path.rglob("*")) if path.is_dir() else [file for file in beside if file.exists()]
    spellings = [(number, word) for number, text in enumerate(canaries, 1) for word in _spellings(text)]
    for file in files:
        if not file.is_file():
            continue
        data = file.read_bytes()
        if any(is_valid_uscc(found.group().decode()) for found in _CODE.finditer(data)):
            yield f"{file.name} holds a well-formed enterprise code"
        for number in sorted({number for number, word in spellings if word in data}):
            yield f"{file.name} holds identifier {number} of those you look for, or its plain hash"


def _spellings(text: str) -> Iterator[bytes]:
    """How an identifier could have slipped in: as text, and as a plain hash of it."""
    raw = text.encode()
    yield from (raw, text.lower().encode(), text.encode("utf-16-le"), text.encode("utf-16-be"))
    for make in (sha256, sha1, md5):
        digest = make(raw, usedforsecurity=False)
        yield from (digest.digest(), digest.hexdigest().encode(), digest.hexdigest().upper().encode())
