"""Drafts as operators write them, of every kind of task: what golden contracts are made of."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.golden.keys import keys_of

NOW = datetime(2025, 3, 3, 2, tzinfo=UTC)
"""A Monday, 10:00 in Sichuan."""
TWO, THREE, FOUR = ("bank", "tax"), ("bank", "tax", "utility"), ("bank", "customs", "tax", "utility")

Draft = dict[str, Any]
Forms = list[dict[str, str]]


def draft_of(
    kind: str, parties: Sequence[str] = THREE, /, params: Draft | None = None, **terms: Any
) -> Draft:
    """A draft of a task; `terms` are put in place of its own."""
    assumptions = ["semi_honest_parties", "helper_does_not_collude"]
    draft = {
        "id": "sme-2025",
        "title": "小微企业联合信用模型",
        "purpose": "sme-credit",
        "legal_basis": "enterprises' authorisation; agreement of 2025",
        "parties": {party: _party(party) for party in parties},
        "task": {"kind": kind, "params": params or {}, "split_seed": 7},
        "assumptions": assumptions + ["two_party_score_reveals_part"] * (len(parties) == 2),
        "minimum_rows": 200,
        "quotas": {"training_jobs": 3, "scores_per_day": 1000},
        "retention_days": 90,
        "valid_from": "2025-03-02T10:00:00+08:00",
        "expires": "2025-04-02T02:00:00Z",
    }
    if "outputs" not in terms:
        draft["outputs"] = _scored(kind, parties)
    return copy.deepcopy(draft | terms)


def _scored(kind: str, parties: Sequence[str]) -> Forms:
    """Its own part to each party, and scores to the bank."""
    forms = {"boosting": ("splits", "score"), "scorecard": ("coefficients", "score", "points")}
    own, *told = forms.get(kind, ("coefficients", "score"))
    return outputs(own, parties, **dict.fromkeys(told, ("bank",)))


def _party(name: str) -> Draft:
    columns = {"uscc": "id", f"{name}_a": "feature", f"{name}_b": "feature"}
    if name == "bank":
        columns |= {"default": "label", "split": "split"}
    role = "label_holder" if name == "bank" else "feature_holder"
    return {"organisation": f"示例 {name}", "role": role, "dataset": f"{name}-2024", "columns": columns}


def with_columns(draft: Draft, party: str, *gone: str, **more: str) -> Draft:
    """Some of a party's columns gone, others there."""
    columns = draft["parties"][party]["columns"]
    draft["parties"][party]["columns"] = {c: use for c, use in columns.items() if c not in gone} | more
    return draft


def with_consent(draft: Draft, *parties: str) -> Draft:
    """These parties' rows need consent, and the versions of their data sets are pinned."""
    for party in parties or draft["parties"]:
        version = "sha256:" + hashlib.sha256(party.encode()).hexdigest()
        draft["parties"][party] |= {"consent_required": True, "version": version}
    return draft


def outputs(own: str, parties: Sequence[str], **forms: Sequence[str]) -> Forms:
    """`own` to each party, and each of `forms` to those named."""
    named = [{"to": party, "form": own} for party in parties]
    return named + [{"to": party, "form": form} for form, tos in forms.items() for party in tos]


def bare(kind: str) -> Draft:
    """Nothing but what must be said."""
    draft = draft_of(kind)
    optional = ("minimum_rows", "quotas", "retention_days", "valid_from", "expires")
    return {name: value for name, value in draft.items() if name not in optional} | {"task": {"kind": kind}}


def stand_alone_witness(name: str) -> str:
    """The verifier key of a witness that is no node: name, key id, type 04 and Ed25519 key."""
    key = b"\x04" + keys_of("customs").log.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(key).decode()}"
