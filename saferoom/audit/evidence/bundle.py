"""An evidence bundle: what an auditor hands over, in one ZIP that one file of Python checks anywhere.

    manifest.json                 the format, and SHA-256 of every other file
    logs/<node>/log.json          origin, size, whether it is whole, the filter
    logs/<node>/checkpoint-first  the oldest kept checkpoint that is not of the empty tree
    logs/<node>/checkpoint-last   the newest, with its cosignatures
    logs/<node>/consistency.json  that the last tree begins with the first
    logs/<node>/entries.jsonl     exact bytes, one entry a line
    logs/<node>/proofs.jsonl      of a selection: index and inclusion proof of each entry
    contracts/, reports/, policy.yaml    what was handed in

Checked by `verify_bundle`, which shares no code with this.
"""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from saferoom.audit.evidence.search import Query, search
from saferoom.audit.evidence.sources import Reader
from saferoom.audit.evidence.verify_bundle import FORMAT
from saferoom.audit.formats import merkle
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import leaf_hash
from saferoom.audit.formats.note import split_note
from saferoom.audit.formats.tiles import TileBuilder, subtree_from_tiles
from saferoom.audit.reconcile.statements import node_of
from saferoom.errors import StorageError, UsageError, VerificationError

_STEP = "make an evidence bundle"
_EVERYTHING = 2**62


class _Parts:
    """Writes files into a ZIP and remembers their digests."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file
        self.digests: dict[str, str] = {}

    def put(self, name: str, data: bytes) -> None:
        self.put_lines(name, [data])

    def put_lines(self, name: str, lines: Iterable[bytes]) -> None:
        digest = sha256()
        with self._zip.open(name, "w") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
        self.digests[name] = digest.hexdigest()

    def put_json(self, name: str, value: Any) -> None:
        self.put(name, (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode())


def write_bundle(
    logs: Sequence[Reader], target: Path, *, query: Query, extra: Mapping[str, bytes]
) -> dict[str, Any]:
    """Write logs, or what of them fits the query, to a new ZIP; gives its manifest.

    `extra`: further files by name, such as contracts and reports. Raises: StorageError, also if the file
    exists; UsageError if a log is empty; VerificationError if a log does not fit together.
    """
    try:
        with target.open("xb") as raw:
            target.chmod(0o600)
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as file:
                parts = _Parts(file)
                for log in logs:
                    _put_log(parts, log, query)
                for name, data in extra.items():
                    parts.put(name, data)
                manifest = {"format": FORMAT, "files": parts.digests}
                file.writestr("manifest.json", json.dumps(manifest, indent=2, sort_keys=True))
    except FileExistsError as exc:
        raise StorageError(f"{target} exists", step=_STEP, remedy="name a new file") from exc
    except BaseException as exc:
        with suppress(OSError):
            target.unlink()
        if isinstance(exc, OSError):
            raise StorageError("the bundle cannot be written", step=_STEP, remedy="free space") from exc
        raise
    return manifest


def _put_log(parts: _Parts, log: Reader, query: Query) -> None:
    origin = log.identity().origin
    folder = f"logs/{node_of(origin) if origin.count('/') == 1 else origin.replace('/', '-')}"
    first, last = _first_and_last(log, origin)
    tree = _Tree(log, last.size)
    if tree.root != last.root:
        raise VerificationError(
            "the entries are not those of the newest checkpoint", party=origin, step=_STEP
        )
    entries = list(search(log, query, end=last.size)) if not query.is_everything else None
    about = {"origin": origin, "size": last.size, "complete": entries is None, "filter": query.to_dict()}
    parts.put_json(f"{folder}/log.json", about)
    for name, checkpoint in (("first", first), ("last", last)):
        parts.put(f"{folder}/checkpoint-{name}", _note_of(log, checkpoint.size).encode())
    proof = merkle.consistency_proof(first.size, last.size, tree.subtree)
    parts.put_json(f"{folder}/consistency.json", {"proof": _texts(proof)})
    if entries is None:
        parts.put_lines(f"{folder}/entries.jsonl", (data + b"\n" for _, data in log.entries(0, last.size)))
        return
    parts.put_lines(f"{folder}/entries.jsonl", (found.data + b"\n" for found in entries))
    proofs = (
        (found.index, merkle.inclusion_proof(found.index, last.size, tree.subtree)) for found in entries
    )
    lines = (json.dumps({"index": index, "proof": _texts(proof)}).encode() + b"\n" for index, proof in proofs)
    parts.put_lines(f"{folder}/proofs.jsonl", lines)


class _Tree:
    """The tree of a log's first entries, recomputed from their bytes."""

    def __init__(self, log: Reader, size: int) -> None:
        builder = TileBuilder()
        tiles: dict[tuple[int, int], bytes] = {}
        leaves: list[bytes] = []
        for _, data in log.entries(0, size):
            leaves.append(leaf_hash(data))
            if len(leaves) == 4096:
                tiles |= builder.extend(leaves)
                leaves = []
        tiles |= builder.extend(leaves)
        self.root = builder.root()
        self.subtree = subtree_from_tiles(lambda level, number: tiles.get((level, number), b""))


def _first_and_last(log: Reader, origin: str) -> tuple[Checkpoint, Checkpoint]:
    notes = [note for size, note in log.checkpoints() if size]
    if not notes:
        raise UsageError(f"the log {origin} is empty", step=_STEP, remedy="leave it out")
    first, last = (Checkpoint.parse(split_note(note)[0]) for note in (notes[0], notes[-1]))
    return first, last


def _note_of(log: Reader, size: int) -> str:
    """The signed checkpoint of that size, with the cosignatures that the log holds of it."""
    note = next(note for at, note in log.checkpoints() if at == size)
    lines = [one.line for one in log.cosignatures() if one.size == size]
    return note + "".join(f"{line}\n" for line in lines)


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in hashes]
