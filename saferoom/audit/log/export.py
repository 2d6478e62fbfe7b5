"""An exported log: a folder of plain files with the exact bytes.

    log.json            {"format", "origin", "verifier_key", "size"}
    entries.jsonl       one entry a line, exactly the bytes that were hashed: canonical JSON holds no newline
    checkpoints.jsonl   {"note", "size"} a line, every checkpoint that was ever signed
    cosignatures.jsonl  {"line", "size", "witness"} a line; not in exports of format 1

The export is always the whole log from entry 0: a selection of entries proves nothing about what is left out.
`FolderReader` reads it back for the verifier.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import rfc8785

from saferoom.audit.formats.tiles import MAX_ENTRY_BYTES
from saferoom.audit.log.sqlite import READ_VERSIONS, SqliteReader
from saferoom.audit.log.store import Cosignature, Identity
from saferoom.errors import StorageError, VerificationError

_MAX_LINE_BYTES = 1 << 20
_STEP = "read an exported log"


def export_folder(path: Path | str, folder: Path | str) -> int:
    """Write the log in `path`, live or not, to a new folder; gives the number of entries.

    Raises: StorageError, also if the folder exists.
    """
    reader, folder = SqliteReader(path), Path(folder)
    try:
        folder.mkdir(parents=True)
        reader.hold()
        identity, size = reader.identity(), reader.head().size
        with (folder / "entries.jsonl").open("wb") as entries:
            entries.writelines(data + b"\n" for _, data in reader.entries(0, size))
        with (folder / "checkpoints.jsonl").open("wb") as checkpoints:
            checkpoints.writelines(
                rfc8785.dumps({"size": at, "note": note}) + b"\n" for at, note in reader.checkpoints()
            )
        with (folder / "cosignatures.jsonl").open("wb") as cosignatures:
            cosignatures.writelines(rfc8785.dumps(asdict(item)) + b"\n" for item in reader.cosignatures())
        about: dict[str, int | str] = {"format": identity.version, "origin": identity.origin, "size": size}
        about["verifier_key"] = identity.verifier_key
        (folder / "log.json").write_bytes(rfc8785.dumps(about) + b"\n")
    except OSError as exc:
        raise StorageError(
            f"the log cannot be exported ({type(exc).__name__})",
            step="export the audit log",
            remedy="name a folder that does not exist yet, on a disk with space",
        ) from exc
    finally:
        reader.close()
    return size


class FolderReader:
    """Reads an exported folder as the verifier needs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def identity(self) -> Identity:
        about = self._json(self._line("log.json"))
        values = about.get("format"), about.get("origin"), about.get("verifier_key")
        if values[0] not in READ_VERSIONS or not all(isinstance(value, str) for value in values[1:]):
            raise VerificationError("log.json does not say which log this is", step=_STEP)
        return Identity(int(str(values[0])), str(values[1]), str(values[2]))

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        for index, line in enumerate(self._lines("entries.jsonl", MAX_ENTRY_BYTES)):
            if start <= index < end:
                yield index, line

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        last = -1
        for line in self._lines("checkpoints.jsonl", _MAX_LINE_BYTES):
            row = self._json(line)
            size, note = row.get("size"), row.get("note")
            if type(size) is not int or type(note) is not str or size <= last:
                raise VerificationError(
                    "checkpoints.jsonl holds a line out of order or of a wrong form", step=_STEP
                )
            last = size
            yield size, note

    def cosignatures(self) -> Iterator[Cosignature]:
        if not (self._folder / "cosignatures.jsonl").exists():
            return
        for line in self._lines("cosignatures.jsonl", _MAX_LINE_BYTES):
            row = self._json(line)
            size, witness, signature = row.get("size"), row.get("witness"), row.get("line")
            if type(size) is not int or type(witness) is not str or type(signature) is not str:
                raise VerificationError("cosignatures.jsonl holds a line of a wrong form", step=_STEP)
            yield Cosignature(size, witness, signature)

    def close(self) -> None:
        """Nothing stays open."""

    def _line(self, name: str) -> bytes:
        return next(self._lines(name, _MAX_LINE_BYTES), b"")

    def _lines(self, name: str, limit: int) -> Iterator[bytes]:
        try:
            with (self._folder / name).open("rb") as file:
                while line := file.readline(limit + 1):
                    if not line.endswith(b"\n"):
                        raise VerificationError(
                            f"{name} holds a line that is cut off or too long", step=_STEP
                        )
                    yield line[:-1]
        except OSError as exc:
            raise StorageError(f"{name} cannot be read ({type(exc).__name__})", step=_STEP) from exc

    @staticmethod
    def _json(line: bytes) -> dict[str, object]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise VerificationError("a line of the export is not JSON", step=_STEP) from exc
        if not isinstance(value, dict):
            raise VerificationError("a line of the export is not a JSON object", step=_STEP)
        return value
