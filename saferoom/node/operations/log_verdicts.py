"""What a node knows of the logs of a contract's nodes: it checks its own, and was told checkpoints of others.

A full check of another log needs that log. Whoever has looked at it, as a lab that holds all homes, gives its
verdict along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from saferoom.audit import Verdict, VerdictKind, verify_log
from saferoom.audit.evidence.verdict import VERDICTS
from saferoom.contracts.contract import Contract
from saferoom.ids import COORDINATOR
from saferoom.node.core import Core
from saferoom.node.witnessing.quorums import node_of, quorum_of

Plain = dict[str, Any]
Given = Mapping[str, Mapping[str, Any]]
"""By node what `Verdict.to_dict` says: the content of a lab's verify.json."""


def log_verdicts(core: Core, contract: Contract, given: Given) -> Iterator[Plain]:
    """A line a node, coordinator first: node, entries, root, problem, passed, says (Chinese and English).

    Of a log that nobody looked at, entries and root are those of the newest checkpoint that this node
    cosigned, None and empty where it cosigned none; `passed` is None.
    """
    for node in (COORDINATOR, *sorted(contract.parties)):
        if node == core.me:
            yield _checked(node, check_own_log(core, contract).to_dict())
        elif node in given:
            yield _checked(node, given[node])
        else:
            yield _told(core, node)


def check_own_log(core: Core, contract: Contract) -> Verdict:
    """With the witnesses that the contract names."""
    quorum = quorum_of(contract, core.me)
    return verify_log(core.home.log, [core.log_verifier_key()], quorum=quorum)


def _checked(node: str, verdict: Mapping[str, Any]) -> Plain:
    says = VERDICTS[VerdictKind[verdict["verdict"]]].says
    return {
        "node": node,
        "entries": verdict["size"],
        "root": verdict["root"],
        "problem": "; ".join(verdict["faults"]),
        "passed": verdict["ok"],
        "says": [says.zh, says.en],
    }


def _told(core: Core, node: str) -> Plain:
    store = core.witness.store
    heads = [held.checkpoint for held in store.heads() if node_of(held.checkpoint.origin) == node]
    alarms = [alarm.what for alarm in store.alarms() if node_of(alarm.origin) == node]
    newest = max(heads, key=lambda head: head.size, default=None)
    return {
        "node": node,
        "entries": None if newest is None else newest.size,
        "root": "" if newest is None else newest.root.hex(),
        "problem": "; ".join(alarms),
        "passed": None,
        "says": ["", ""],
    }
