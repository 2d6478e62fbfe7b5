"""Who must vouch for whose audit log under a contract.

`quorum` of the named witnesses must cosign a checkpoint; a log's owner is no witness of its own. A quorum is
more than half of those left, so that two versions of one log cannot both reach it unless a witness lies.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt

from saferoom.ids import COORDINATOR
from saferoom.kinds.fields import Distinct, PartyId, Strict

COSIGNATURE_TYPE = 4
_KEY_BYTES = 32
_DAY_S = 86_400


def _witness_key(text: str) -> str:
    """A C2SP verifier key of a stand-alone witness: name+hex key id+base64 of type 04 and Ed25519 key."""
    try:
        name, key_id, blob = text.split("+", 2)
        key = base64.b64decode(blob, validate=True)
    except ValueError as exc:
        raise ValueError("a witness key reads name+8 hex digits+base64") from exc
    digest = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()
    fits = name and not any(c.isspace() for c in name) and digest.startswith(key_id) and len(key_id) == 8
    if not fits or len(key) != 1 + _KEY_BYTES or key[0] != COSIGNATURE_TYPE:
        raise ValueError("is not a witness key of type 04, or its digits do not fit it")
    return text


WitnessKey = Annotated[str, Field(max_length=300), AfterValidator(_witness_key)]


class Witnessing(Strict):
    """`witnesses`: nodes of the contract; `keys`: stand-alone witnesses, such as the auditor's.

    `max_age_s`: how old the newest quorum on a log may be before the log counts as stale.
    """

    quorum: Annotated[StrictInt, Field(ge=1, le=100)]
    witnesses: Distinct[PartyId] = ()
    keys: Distinct[WitnessKey] = ()
    max_age_s: Annotated[StrictInt, Field(ge=60, le=366 * _DAY_S)] = _DAY_S

    def of_log(self, owner: str) -> tuple[str, ...]:
        """The nodes that count as witnesses of `owner`'s log."""
        return tuple(node for node in self.witnesses if node != owner)

    def problems(self, parties: Iterable[str]) -> list[str]:
        """Why this cannot stand in a contract of these parties; empty if it can."""
        nodes = [*parties, COORDINATOR]
        strangers = sorted(set(self.witnesses) - set(nodes))
        found = [f"a witness is {stranger}, which is no node of the contract" for stranger in strangers]
        for owner in nodes:
            count = len(self.of_log(owner)) + len(self.keys)
            if self.quorum > count:
                found.append(f"a quorum of {self.quorum} among {count} witnesses of {owner}'s log")
            elif 2 * self.quorum <= count:
                found.append(
                    f"a quorum of {self.quorum} is not more than half of {count} witnesses of {owner}'s log"
                )
        return found


def usual_witnessing(parties: Iterable[str]) -> dict[str, object]:
    """Every node is a witness, and more than half of the others must vouch for each log."""
    nodes = sorted([*parties, COORDINATOR])
    return {"quorum": (len(nodes) - 1) // 2 + 1, "witnesses": nodes}
