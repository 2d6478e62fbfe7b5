"""What can be asked of any node on its own machine: verbs of the administration socket.

A verb takes plain arguments and yields plain results; the last one is the answer. The daemon serves
them on its socket; while it is down the command line opens the home itself and serves those that need
no daemon.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.contracts.explain import explain, render_explanation
from saferoom.errors import UsageError
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.processes.watch import Watch

Plain: TypeAlias = dict[str, Any]
Verb: TypeAlias = Callable[[Plain], Iterator[Plain]]


def answer(function: Callable[[Plain], Plain]) -> Verb:
    """A verb with one answer."""

    def verb(args: Plain) -> Iterator[Plain]:
        yield function(args)

    return verb


def argument(args: Mapping[str, Any], name: str) -> Any:
    """An argument that must be there."""
    if name not in args:
        raise UsageError(f"the argument {name!r} is missing")
    return args[name]


class Operations:
    """Verbs that parties and the coordinator have in common. `verbs` maps names to functions."""

    def __init__(self, core: Core, watch: Watch | None) -> None:
        self.core = core
        self.watch = watch
        self.verbs: dict[str, Verb] = {
            "contract.list": answer(self.contract_list),
            "contract.show": answer(self.contract_show),
            "contract.explain": answer(self.contract_explain),
            "job.list": answer(self.job_list),
            "job.show": answer(self.job_show),
            "job.watch": self.job_watch,
            "keys.show": answer(self.keys_show),
            "audit.read": answer(self.audit_read),
            "successor.sign": answer(self.successor_sign),
        }

    def handle(self, verb: str, args: Plain) -> Iterator[Plain]:
        """Run a verb. Raises UsageError if this kind of node has none of that name."""
        if verb not in self.verbs:
            role = self.core.settings.role
            raise UsageError(
                f"a {role}'s node does not do {verb!r}",
                party=self.core.me,
                remedy="name the home of another node with --home, or see `saferoom --help`",
            )
        return self.verbs[verb](args)

    def find_contract(self, args: Mapping[str, Any]) -> Contract:
        row = self.core.state.find_by_prefix(tables.contracts, argument(args, "contract"), "contract")
        return self.core.book.get(row["id"])

    def find_job(self, args: Mapping[str, Any]) -> Plain:
        return self.core.state.find_by_prefix(tables.jobs, argument(args, "job"), "job")

    def training_params(self, args: Mapping[str, Any]) -> Plain:
        """The parameters of the job asked for; `resume` may be the beginning of an earlier one's id."""
        params = dict(args.get("params", {}))
        if args.get("resume"):
            params["resume"] = self.find_job({"job": args["resume"]})["id"]
        return params

    def contract_list(self, _args: Plain) -> Plain:
        rows = self.core.book.rows()
        return {"contracts": [self._contract_line(row) for row in rows]}

    def _contract_line(self, row: Plain) -> Plain:
        contract = self.core.book.get(row["id"])
        return {
            "id": row["id"],
            "title": contract.title,
            "state": row["state"],
            "reason": row["reason"],
            "hash": row["hash"].hex(),
            "parties": sorted(contract.parties),
            "signed": sorted(self.core.book.signatures(row["id"])),
        }

    def contract_show(self, args: Plain) -> Plain:
        contract = self.find_contract(args)
        decisions = [
            {key: row[key] for key in ("party", "decision", "reason", "time")}
            for row in self.core.book.decisions(contract.id)
        ]
        line = self._contract_line(self.core.book.row(contract.id))
        fingerprints = {node: keys.fingerprint() for node, keys in contract.pinned_keys().items()}
        return {**line, "contract": contract.to_plain(), "decisions": decisions, "fingerprints": fingerprints}

    def contract_explain(self, args: Plain) -> Plain:
        contract = self.find_contract(args)
        explanation = explain(contract)
        return {
            "id": contract.id,
            "hash": contract_hash(contract).hex(),
            "text": render_explanation(explanation, lang=str(args.get("lang", "en"))),
            "rows": [row.to_plain() for row in explanation.rows],
            "warnings": list(explanation.warnings),
        }

    def job_list(self, _args: Plain) -> Plain:
        rows = sorted(self.core.state.rows(tables.jobs), key=lambda row: row["created"])
        return {
            "jobs": [
                {key: row[key] for key in ("id", "contract_id", "kind", "state", "created")} for row in rows
            ]
        }

    def job_show(self, args: Plain) -> Plain:
        return json.loads(json.dumps(self.find_job(args)))  # type: ignore[no-any-return]

    def job_watch(self, args: Plain) -> Iterator[Plain]:
        """Progress as it comes, then the outcome."""
        row = self.find_job(args)
        if row["state"] in tables.JOB_ENDED:
            yield {"job_id": row["id"], "state": row["state"], "problem": row["problem"]}
            return
        if self.watch is None:
            raise UsageError("the node is not up", step="watch", remedy="start it with `saferoom ... up`")
        yield from self.watch.follow(row["id"])

    def successor_sign(self, args: Plain) -> Plain:
        """Agree to another node's successor log; gives the paper with this node's signature."""
        signed = self.core.agree_to_successor(str(argument(args, "paper")))
        return {"node": signed.node, "successor": signed.body["successor"], "paper": signed.text()}

    def audit_read(self, args: Plain) -> Plain:
        """Somebody is about to read this node's log: that is logged first."""
        self.core.record("auditor.read", reason=str(argument(args, "what")))
        return {"log_size": self.core.log.size}

    def keys_show(self, _args: Plain) -> Plain:
        keys = self.core.keys.public()
        return {**keys.to_json(), "fingerprint": keys.fingerprint(), "log_key": self.core.log_verifier_key()}
