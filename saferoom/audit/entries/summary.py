"""An event in a few words for people, made of its allow-listed fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SHORT_ID = 12


def summary(event: Mapping[str, Any]) -> str:
    """What an event is about: data set, disclosure, peer, model, what was destroyed. May be empty."""
    return "; ".join(text for text in _parts(event) if text)


def _parts(event: Mapping[str, Any]) -> Iterator[str]:
    if "object" in event:
        yield _data(event["object"])
    if "disclosure" in event:
        yield _disclosure(event["disclosure"])
    if "peer" in event:
        yield _peer(event["peer"])
    if "model" in event:
        yield f"model {event['model']['id'][:SHORT_ID]}"
    if "subject_commit" in event:
        yield "one enterprise"
    if "deletion" in event:
        yield ": ".join(event["deletion"][name] for name in ("scope", "check") if name in event["deletion"])


def _data(data: Mapping[str, Any]) -> str:
    columns = data.get("columns", [])
    texts = (
        data.get("dataset", ""),
        f"{data['rows_bucket']} rows" if "rows_bucket" in data else "",
        f"{len(columns)} columns" if columns else "",
    )
    return ", ".join(text for text in texts if text)


def _disclosure(what: Mapping[str, Any]) -> str:
    shape = " × ".join(map(str, what.get("shape", [])))
    return f"{what['kind']} to {what['to']}" + (f" ({shape})" if shape else "")


def _peer(peer: Mapping[str, Any]) -> str:
    link = "to" if peer["direction"] == "sent" else "from"
    counted = f", {peer['messages']} messages" if "messages" in peer else ""
    volume = f", {peer['bytes_bucket']} bytes" if "bytes_bucket" in peer else ""
    return f"{peer['direction']} {link} {peer['org']}{counted}{volume}"
