"""The columns of `scorecard_room` in a lab room of real processes, with names that may be published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from saferoom.lab.house import House, draft_of
from saferoom.lab.room import Room
from tests.node_room import PARTIES, Columns, write_rows
from tests.scorecard_room import CODE


def silent(_item: Any) -> None:
    """Progress that nobody watches."""


def room_in(folder: Path, parts: dict[str, Columns], task: dict[str, Any]) -> Room:
    """A room of these parties' columns, written to files of `folder`."""
    parties: dict[str, Any] = {}
    for party, columns in parts.items():
        file = write_rows(folder / f"{party}.csv", columns)
        parties[party] = {"source": str(file), "id": "uscc"}
    parties["bank"] |= {"label": "y", "split": "split"}
    return Room.model_validate(
        {"room": "cards", "label_holder": "bank", "parties": parties, "task": task, "folder": folder}
    )


def agree_with_reasons(nodes: House, parts: dict[str, Columns], *forms: str) -> str:
    """A contract that gives each party the first of `forms`, and the bank all of them; returns its id."""
    draft = draft_of(nodes.room, _describe_again(nodes, parts))
    draft["outputs"] = [{"to": party, "form": forms[0]} for party in PARTIES]
    draft["outputs"] += [{"to": "bank", "form": form} for form in forms[1:]]
    return nodes.agree_on(draft)


def _describe_again(nodes: House, parts: dict[str, Columns]) -> dict[str, Any]:
    """Register each data set with a special code and with names that may be published."""
    found = {}
    for party, columns in parts.items():
        names = [name for name in columns if name not in ("uscc", "y", "split")]
        lines = [{"name": name} for name in names]
        lines[0]["reason"], lines[1]["special"] = f"{party} payments", [CODE]  # type: ignore[assignment]
        content = {
            "name": "cards",
            "source": str(nodes.room.folder / f"{party}.csv"),
            "id": "uscc",
            "id_kind": "uscc",
            "columns": lines,
            **({"label": "y", "split": "split"} if party == "bank" else {}),
        }
        file = nodes.nodes[party].home / "dataset.yaml"
        file.write_text(json.dumps(content), encoding="utf-8")
        found[party] = nodes.nodes[party].ask("data.add", file=str(file))
    return found
