"""The tables of version 0001, as SafeRoom 0.1 made them without writing a version down."""

from __future__ import annotations

from collections.abc import Mapping

FIRST = "0001"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "contracts": ("id", "hash", "canonical", "state", "reason", "updated"),
    "decisions": ("contract_id", "party", "decision", "reason", "signature", "time"),
    "destructions": (
        "job_id",
        "contract_id",
        "type",
        "reason",
        "by",
        "on_behalf_of",
        "signature",
        "state",
        "scope",
        "tries",
        "next_try",
        "changed",
    ),
    "jobs": (
        "id",
        "contract_id",
        "kind",
        "params",
        "state",
        "created",
        "started",
        "ended",
        "problem",
        "summary",
    ),
    "permits": ("contract_id", "kind", "left"),
}


def differences(found: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names of tables and `table.column` that only one side has: empty if `found` is what 0.1 made."""
    return sorted(_names(COLUMNS) ^ _names(found))


def _names(tables: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {*tables, *(f"{table}.{column}" for table, columns in tables.items() for column in columns)}
