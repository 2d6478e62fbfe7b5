"""A log as its own owner could rewrite it before anybody looks: other entries, validly chained and signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from saferoom.audit.formats.canonical import decode, encode
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import leaf_hash
from saferoom.audit.formats.note import NoteSigner
from saferoom.audit.formats.tiles import TileBuilder
from saferoom.audit.log.opening import create
from saferoom.audit.log.sqlite import SqliteReader, SqliteWriter
from saferoom.audit.log.store import Batch, Head, SessionHead


def rewrite(
    path: Path, target: Path, signer: NoteSigner, change: Callable[[list[dict[str, Any]]], Iterable[Any]]
) -> Path:
    """Write to `target` what `change` makes of the log's events. `audit verify` calls it CONSISTENT."""
    reader = SqliteReader(path)
    events = change([decode(data) for _, data in reader.entries(0, 2**62)])
    reader.close()
    sessions: dict[str, SessionHead] = {}
    entries = [_chained(event, sessions) for event in events]
    builder = TileBuilder()
    tiles = builder.extend([leaf_hash(data) for data in entries])
    note = Checkpoint(signer.name, builder.size, builder.root()).signed(signer)
    writer = SqliteWriter(target)
    create(writer, signer)
    before = SqliteReader(target, live=True)
    after = Head(builder.size, builder.root(), b"".join(builder.peaks()), note)
    writer.commit(Batch(before.head(), after, entries, tiles, sessions))
    before.close()
    writer.close()
    return target


def _chained(event: dict[str, Any], sessions: dict[str, SessionHead]) -> bytes:
    if "session" not in event:
        return encode(event)
    name = event["session"]["id"]
    last = sessions.get(name, SessionHead(-1, bytes(32)))
    link = {"id": name, "seq": last.seq + 1, "prev_hash": last.leaf.hex()}
    data = encode(event | {"session": link})
    sessions[name] = SessionHead(last.seq + 1, leaf_hash(data))
    return data
