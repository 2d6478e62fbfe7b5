"""A room of three parties whose columns a scorecard has work with: gaps, codes, categories, a U shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from saferoom.contracts.contract import Contract
from saferoom.lab.codes import synthetic_codes
from tests.node_room import PARTIES, Columns, Nodes

CODE = -9


def enterprises(rows: int, seed: int = 0) -> dict[str, Columns]:
    """For each party of PARTIES its columns: a number with gaps, a coded one, a U-shaped one, and regions."""
    rng = np.random.default_rng(seed)
    ids = [code.decode() for code in synthetic_codes(rows, rng).tolist()]
    hidden = rng.normal(size=(rows, 4))
    bent = hidden[:, 3] ** 2 - 1
    y = (rng.random(rows) < 1 / (1 + np.exp(1.4 + hidden[:, :3].sum(axis=1) - bent))).astype(int)
    parts: dict[str, Columns] = {}
    for number, party in enumerate(PARTIES):
        value = np.round(hidden[:, number] + rng.normal(size=rows) / 3, 3)
        coded = np.where(
            rng.random(rows) < 0.15, CODE, np.round(rng.normal(size=rows) + hidden[:, number], 3)
        )
        parts[party] = {
            "uscc": ids,
            f"{party}_gaps": np.where(rng.random(rows) < 0.12, np.nan, value).tolist(),
            f"{party}_coded": coded.tolist(),
            f"{party}_bent": np.round(hidden[:, 3] + rng.normal(size=rows) / 2, 3).tolist(),
            f"{party}_region": np.array(["east", "north", "west"])[
                np.digitize(hidden[:, number] + rng.normal(size=rows), [-0.4, 0.6])
            ].tolist(),
        }
    split = np.where(np.arange(rows) % 4 == 3, "test", "train")
    parts["bank"] |= {"y": y.tolist(), "split": split.tolist()}
    return parts


def add_data(nodes: Nodes, rows: int) -> None:
    """Register `enterprises` at every party."""
    for party, columns in enterprises(rows).items():
        names = [name for name in columns if name not in ("uscc", "y", "split")]
        described: list[dict[str, Any]] = [{"name": name} for name in names]
        described[0]["reason"] = f"{party} payment behaviour"
        described[1]["special"] = [CODE]
        described[3]["reason"] = f"{party} region"
        label = {"label": "y", "split": "split"} if party == "bank" else {}
        nodes.add_data(party, "rows", columns, columns=described, **label)


def draft(
    nodes: Nodes, parties: tuple[str, ...] = PARTIES, *, own_features: bool = True, **changes: Any
) -> Contract:
    """A scorecard contract over these parties' columns. Small keys: the secrets of a test are none."""
    columns = {}
    for party, content in enterprises(4).items():
        uses = dict.fromkeys(content, "feature") | {"uscc": "id"}
        if party == "bank":
            uses = uses if own_features else {"uscc": "id"}
            uses |= {"y": "label", "split": "split"}
        columns[party] = uses
    task = {"kind": "scorecard", "params": {"key_bits": 2048, **changes.pop("params", {})}}
    outputs = [{"to": party, "form": "coefficients"} for party in parties]
    outputs += [{"to": "bank", "form": form} for form in ("score", "points", "reason_codes")]
    terms = {"task": task, "minimum_bin_rows": 40, "minimum_bin_events": 5, "outputs": outputs} | changes
    return nodes.draft({party: columns[party] for party in parties}, **terms)
