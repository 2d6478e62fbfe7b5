"""What every daemon and every local command of a node stands on: home, keys, state, contracts, log.

The log is opened for writing by one process at a time: the daemon, or a local command while it is down.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from saferoom import __version__
from saferoom.audit.entries.events import (
    Actor,
    Anchor,
    ContractRef,
    DataObject,
    DisclosureRef,
    Event,
    ModelRef,
)
from saferoom.audit.entries.schema import MAX_ITEMS
from saferoom.audit.entries.vocabulary import Outcome
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import COSIGNATURE_V1, NoteSigner, NoteVerifier, split_note
from saferoom.audit.log.audit_log import AuditLog, Clock, utc_now
from saferoom.audit.log.commitments import SaltStore
from saferoom.audit.log.recorder import Recorder
from saferoom.audit.witness.memory import Alarm, WitnessStore
from saferoom.audit.witness.quorum import witness_name
from saferoom.audit.witness.witness import Witness
from saferoom.channel.session import Disclosure
from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.checks import check_disclosure
from saferoom.contracts.contract import Contract
from saferoom.errors import ConfigError, RefusedError, StorageError
from saferoom.files.private import read_private
from saferoom.identity.enrolment import Welcome, load_welcome
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys
from saferoom.identity.register import Register
from saferoom.ids import COORDINATOR
from saferoom.jobs.home import Home
from saferoom.kinds.base import Usage
from saferoom.link.transport.tls import TlsMaterial
from saferoom.node import state as tables
from saferoom.node.acquaintances import Acquaintances
from saferoom.node.book import ContractBook
from saferoom.node.settings import NodeSettings, load_settings
from saferoom.node.state import State
from saferoom.node.witnessing.quorums import node_of, origin_of
from saferoom.node.witnessing.successor import Recovery, present_origin

ANCHORED = frozenset({"contract.activated", "job.finished", "node.stopped"})
"""Entries that name the other nodes' checkpoints as last seen."""


class Core:
    """One node's home, opened. Close it."""

    def __init__(self, home: Home, passphrase: str | None = None, clock: Clock = utc_now) -> None:
        home.check()
        self._clock = clock
        self.home = home
        self.settings: NodeSettings = load_settings(home.settings)
        self.me = self.settings.node_id
        self.keys = NodeKeys.load(home.keys, passphrase)
        self.state = State.of(home, lambda: clock().timestamp())
        self.book = ContractBook(self.state)
        signer = log_signer(self.keys, present_origin(home, self.me))
        store = WitnessStore(home.witness)
        self.log = AuditLog.open(home.log, origin=signer.name, signer=signer, clock=clock)
        self.salts = SaltStore(home.salts)
        self.acquaintances = Acquaintances(self.me, self.book, self._enrolled)
        self.witness = Witness(
            store,
            NoteSigner(witness_name(origin_of(self.me)), self.keys.log, COSIGNATURE_V1),
            self._witnessed_log,
            on_alarm=self._alarm,
        )
        self._recorder = Recorder(self.log, node=self.me, software=software_digest())
        if self.log.size == 0 and home.recovery.exists():
            self._begin_successor()

    @classmethod
    @contextmanager
    def opened(cls, home: Home, passphrase: str | None = None) -> Iterator[Core]:
        """The node's home for the length of a `with`."""
        core = cls(home, passphrase)
        try:
            yield core
        finally:
            core.close()

    def close(self) -> None:
        self.log.close()
        self.witness.store.close()
        self.salts.close()
        self.state.close()

    def log_verifier_key(self) -> str:
        """The public text with which anybody checks this node's log."""
        return self.log.verifier_key

    def now(self) -> datetime:
        return self._clock()

    def tls(self) -> TlsMaterial:
        """This node's certificate and key. Raises ConfigError if it has not joined."""
        if self.settings.role == "party":
            welcome = self.welcome()
            authority, certificate = welcome.ca_pem.encode(), welcome.certificate_pem.encode()
        else:
            authority = read_private(self.home.tls / "ca.pem")
            certificate = read_private(self.home.tls / "certificate.pem")
        return TlsMaterial(authority, certificate, self.keys.tls_private_pem())

    def welcome(self) -> Welcome:
        """What the coordinator answered when this party enrolled. Raises ConfigError if it has not joined."""
        if not self.home.welcome.exists():
            raise ConfigError(
                "the node has not joined a room", party=self.me, step="up", remedy="run `saferoom party join`"
            )
        return load_welcome(self.home.welcome, self.keys, self.now())

    def _enrolled(self) -> dict[str, PublicKeys]:
        """Keys known without a contract: at a party the coordinator's, there every enrolled party's."""
        if self.settings.role == "coordinator":
            return Register.load(self.home.register).public_keys()
        return {COORDINATOR: self.welcome().coordinator} if self.home.welcome.exists() else {}

    def alarms(self) -> list[str]:
        """For a status: what this node saw as a witness, or why its memory cannot be read. Never raises."""
        try:
            return [f"{alarm.origin}: {alarm.what}" for alarm in self.witness.store.alarms()]
        except StorageError as error:
            return [error.message]

    def _witnessed_log(self, origin: str) -> list[NoteVerifier]:
        """The keys of a log that this node witnesses; a successor's once this node has agreed to it."""
        successors = self.witness.store.successors()
        is_first = origin == origin_of(node_of(origin))
        if origin in successors or not (is_first or origin in successors.values()):
            return []
        return self.acquaintances.verifiers(origin)

    def _begin_successor(self) -> None:
        """The first entry of a successor log: what is known of the old one's end."""
        recovery = Recovery.parse(self.home.recovery.read_text(encoding="utf-8"))
        anchors = recovery.anchors(self.keys.public().log)
        self.record("log.recovered", reason=recovery.body["reason"], anchors=anchors)

    def agree_to_successor(self, text: str) -> Recovery:
        """Sign another node's paper on a successor log, and witness that log from now on. Logged first."""
        recovery = Recovery.parse(text)
        keys = self.acquaintances.public_keys()
        recovery.check(keys, {recovery.node})
        old, new = recovery.body["origin"], recovery.body["successor"]
        held = self.witness.store.held(old)
        signed = recovery.signed(self.keys, held.note if held else "")
        self.record(
            "log.recovered",
            by=recovery.node,
            reason=recovery.body["reason"],
            anchors=signed.anchors(keys[recovery.node].log),
        )
        self.witness.store.put_successor(old, new)
        return signed

    def _seen_heads(self) -> list[Anchor]:
        """The newest checkpoints of the logs this node witnesses: two logs then date each other's entries."""
        heads = [held.checkpoint for held in self.witness.store.heads()]
        return [Anchor(head.origin, head.size, head.root.hex()) for head in heads[:MAX_ITEMS]]

    def _alarm(self, alarm: Alarm) -> None:
        """A log that this node witnesses showed two histories: both heads go into our own log."""
        heads = [Checkpoint.parse(split_note(note)[0]) for note in (alarm.held, alarm.offered) if note]
        self.record(
            "witness.alarm",
            outcome="refused",
            by=node_of(alarm.origin),
            reason=alarm.what,
            anchors=[Anchor(head.origin, head.size, head.root.hex()) for head in heads],
        )

    def record(self, type_: str, **fields: Any) -> None:
        """Append one `event`; returns once it is committed. Raises StorageError: then do not act."""
        self.record_all([self.event(type_, **fields)])

    def record_all(self, events: Sequence[Event]) -> None:
        """Append events in one go. Raises as `record`."""
        if events:
            self.log.append_many(events)

    def event(
        self,
        type_: str,
        *,
        outcome: str = "allowed",
        contract: Contract | None = None,
        job: str = "",
        by: str = "",
        on_behalf_of: str = "",
        **fields: Any,
    ) -> Event:
        """One event of this node, not written yet.

        `by` is the organisation that acted, if not this node; `job` chains the event to its job's others.
        """
        if type_ in ANCHORED:
            fields.setdefault("anchors", self._seen_heads())
        return self._recorder.event(
            type_,
            outcome=cast("Outcome", outcome),
            actor=Actor(org=by or self.me, on_behalf_of=on_behalf_of) if by or on_behalf_of else None,
            contract=ContractRef(contract.id, contract_hash(contract).hex()) if contract else None,
            purpose=contract.purpose if contract else "",
            legal_basis=contract.legal_basis if contract else "",
            session=job,
            **fields,
        )

    def record_from_job(self, job: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """An event that a process of a job (its row) asked to have logged: how many rows it used for what."""
        contract = self.book.get(job["contract_id"])
        if event["type"] not in self.book.job_kinds(contract.id)[job["kind"]].records:
            raise RefusedError("a job process asked to log an event that is not its to log", step="log")
        fields: dict[str, Any] = {}
        if "rows" in event:
            fields["object"] = DataObject.of(str(event.get("dataset", "")), rows=int(event["rows"]))
        if "model" in event:
            fields["model"] = ModelRef(str(event["model"]))
        if "subject" in event:
            fields["subject_commit"] = self.salts.commit(str(event["subject"]))
        if event.get("outcome") == "refused":
            fields["outcome"] = "refused"
        reason = str(event.get("reason", ""))
        self.record(event["type"], contract=contract, job=job["id"], reason=reason, **fields)

    def disclose(self, job: Mapping[str, Any], disclosure: Mapping[str, Any], *, by: str = "") -> None:
        """Let a job (its row) disclose a value: what the contract names, once it stands in the log.

        `by` is the endpoint that discloses it, if not this node.
        """
        contract = self.book.get(job["contract_id"])
        wanted = Disclosure(
            kind=str(disclosure["kind"]),
            to=str(disclosure["to"]),
            shape=tuple(int(size) for size in disclosure["shape"]),
            step=str(disclosure["step"]),
        )
        entry = DisclosureRef.of(wanted.kind, wanted.to, wanted.shape, protocol=wanted.step)
        reason = self._objection(contract, job, wanted)
        outcome = "refused" if reason else "allowed"
        self.record(
            "disclosure",
            outcome=outcome,
            contract=contract,
            job=job["id"],
            by=by,
            disclosure=entry,
            reason=reason,
        )
        if reason:
            raise RefusedError(reason, party=self.me, step=wanted.step, remedy="agree on another contract")

    def _objection(self, contract: Contract, job: Mapping[str, Any], wanted: Disclosure) -> str:
        """Why the contract does not allow a disclosure; empty if it does."""
        state = self.book.row(contract.id)["state"]
        if state != "active":
            return f"the contract is {state}"
        taken = contract.kind.jobs_by_name[job["kind"]].uses_up(job["params"])
        try:
            check_disclosure(contract, wanted, job["kind"], taken.scores_today or None)
        except RefusedError as error:
            return error.message
        return ""

    def usage(self, contract_id: str) -> Usage:
        """What was used of a contract: all jobs that were started, whatever became of them, or may be."""
        midnight = self.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        rows = self.state.rows(tables.jobs, tables.jobs.c.contract_id == contract_id)
        counted = [row for row in rows if row["started"] or row["state"] not in tables.JOB_ENDED]
        jobs = self.book.job_kinds(contract_id)
        taken = [(jobs[row["kind"]].uses_up(row["params"]), row["created"]) for row in counted]
        return Usage(
            training_jobs=sum(used.training_jobs for used, _ in taken),
            scores_today=sum(used.scores_today for used, created in taken if created >= midnight),
        )

    @staticmethod
    def new_id() -> str:
        return secrets.token_hex(16)


def log_signer(keys: NodeKeys, origin: str = "") -> NoteSigner:
    """Who signs the node's log; its first log's origin is made of the node's id."""
    return NoteSigner(origin or origin_of(keys.node_id), keys.log)


def software_digest() -> str:
    """SHA-256 over the package's own source files, in the order of their names."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"saferoom {__version__} sha256:{digest.hexdigest()}"
