"""What is checked of each entry by itself: its bytes and its fields; by two processes where a log is long.

More than half of the entries are checked in a second process, which is handed their bytes and gives back
findings. Reading, hashes, session chains and signatures are left to the first.

    to the second process     count, then length and bytes of each entry      (4 bytes big-endian each number)
    back                      length, then JSON: [[fault, time, session], …]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import IO, Any, NamedTuple

from saferoom.audit.entries.schema import fault
from saferoom.audit.formats.canonical import decode
from saferoom.audit.formats.tiles import MAX_ENTRY_BYTES
from saferoom.environment import without_secrets
from saferoom.errors import VerificationError

Row = tuple[int, bytes]

MINE, THEIRS = 800, 1200
ALONE = 20_000
"""So many entries are checked before a second process is worth its start."""
_NUMBER = 4


class Checked(NamedTuple):
    """What is wrong with an entry (empty if nothing), its time, and its session's link, if it has one."""

    fault: str
    time: str = ""
    session: dict[str, Any] | None = None


def check_entry(data: bytes) -> Checked:
    """Check one entry's bytes: canonical JSON, allowed by the schema, not too long."""
    try:
        event = decode(data)
    except VerificationError as exc:
        return Checked(exc.message)
    wrong = fault(event) or ("it is too long" if len(data) > MAX_ENTRY_BYTES else "")
    return Checked(wrong) if wrong else Checked("", event["time"], event.get("session"))


def check_entries(rows: Iterator[Row], *, alone: int = ALONE) -> Iterator[tuple[Row, Checked]]:
    """Check entries in order; after the first `alone` most of them in a second process."""
    for row in islice(rows, alone):
        yield row, check_entry(row[1])
    helper: Helper | None = None
    try:
        while mine := list(islice(rows, MINE)):
            theirs = list(islice(rows, THEIRS))
            helper = helper or Helper()
            helper.send([data for _, data in theirs])
            for row in mine:
                yield row, check_entry(row[1])
            yield from zip(theirs, helper.receive(), strict=True)
    finally:
        if helper is not None:
            helper.close()


class Helper:
    """The second process. Where there is none to be had, the work is done here."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._sent: Sequence[bytes] = ()
        if (os.cpu_count() or 1) > 1:
            with suppress(OSError):
                self._process = subprocess.Popen(
                    [sys.executable, "-c", "from saferoom.audit.entries.entry_check import serve; serve()"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=without_secrets(os.environ),
                )

    def send(self, entries: Sequence[bytes]) -> None:
        """Hand over entries; `receive` gives what was found."""
        self._sent = entries
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.write(_packed(entries))
                self._process.stdin.flush()
            except OSError:
                self.close()

    def receive(self) -> list[Checked]:
        """One finding for each entry sent, in order."""
        if self._process is not None and self._process.stdout is not None:
            answer = _read(self._process.stdout)
            if answer is not None:
                return [Checked(*found) for found in json.loads(answer)]
            self.close()
        return [check_entry(data) for data in self._sent]

    def close(self) -> None:
        """End the process. Never raises."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError):
                process.communicate()


def _packed(entries: Sequence[bytes]) -> bytes:
    parts = [len(entries).to_bytes(_NUMBER, "big")]
    for data in entries:
        parts += (len(data).to_bytes(_NUMBER, "big"), data)
    return b"".join(parts)


def _read(stream: IO[bytes]) -> bytes | None:
    """The next piece with its length before it; None at the end."""
    size = stream.read(_NUMBER)
    if len(size) < _NUMBER:
        return None
    piece = stream.read(length := int.from_bytes(size, "big"))
    return piece if len(piece) == length else None


def serve() -> None:
    """The second process's whole life."""
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(count := given.read(_NUMBER)) == _NUMBER:
        pieces = [_read(given) for _ in range(int.from_bytes(count, "big"))]
        found = json.dumps([check_entry(data) for data in pieces if data is not None]).encode()
        answers.write(len(found).to_bytes(_NUMBER, "big") + found)
        answers.flush()
