"""A party's jobs: each offer is checked against contract, policy and data before anything starts."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from saferoom.audit.evidence.lifecycle import kept_until
from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.checks import check_active, check_dataset, check_job
from saferoom.contracts.contract import Contract
from saferoom.contracts.policy import Policy, job_reasons
from saferoom.data import catalogue
from saferoom.errors import PeerError, RefusedError, SafeRoomError, StorageError, UsageError
from saferoom.ids import COORDINATOR
from saferoom.jobs.problem import HEARSAY_S, Problem
from saferoom.jobs.spec import JobSpec, read_params
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.daemons.permits import Permits
from saferoom.node.daemons.resume_check import check_checkpoint, note_checkpoint
from saferoom.node.processes.hub import JobHub
from saferoom.node.processes.job_keys import JobKeyring, JobTerms
from saferoom.node.processes.transcripts import write_cut
from saferoom.node.processes.watch import Watch
from saferoom.node.retention.destroyer import Destroyer

logger = logging.getLogger(__name__)

SESSION = 1
_JOB_ID = re.compile(r"[0-9a-f]{32}")


class PartyJobs:
    """JobOwner of this party's processes. Control messages come in under the node's lock."""

    def __init__(
        self,
        core: Core,
        policy: Callable[[], Policy],
        lock: threading.RLock,
        send: Callable[[wire.Control], bool],
    ) -> None:
        self.watch = Watch()
        self.hub: JobHub
        self._core = core
        self._policy = policy
        self._lock = lock
        self._send = send
        self.permits = Permits(core)
        self.destroyer = Destroyer(core, self._end_jobs_with, self._running)
        self._rings: dict[str, JobKeyring] = {}
        self._requests: dict[str, dict[str, Any]] = {}
        self._local: dict[str, dict[str, Any]] = {}
        self._versions: dict[str, str] = {}
        self._hearsay: dict[str, tuple[Problem, float]] = {}

    # -- messages from the coordinator -------------------------------------------------------------

    def offered(self, offer: wire.JobOffer) -> None:
        """Check an offer with all we know, and accept or refuse it with a reason; both are logged."""
        self._check_new(offer.job_id)
        params = read_params(offer.params_json)
        reply = wire.JobReply(job_id=offer.job_id)
        try:
            contract, version = self._check_offer(offer, params)
            self._accept(contract, offer, params)
            self._versions[offer.job_id] = version
            reply.accepted = True
            reply.sealed_keys.update(self._rings[offer.job_id].envelopes)
        except SafeRoomError as error:
            problem = Problem.of(error, party=self._core.me, step="offer")
            self._note_refusal(offer, params, problem)
            reply.problem.CopyFrom(problem.to_wire())
        self._send(wire.Control(reply=reply))

    def started(self, start: wire.JobStart) -> None:
        """All accepted: open the job keys and start the process."""
        row = self._core.state.get(tables.jobs, start.job_id, "job")
        ring = self._rings.pop(start.job_id, None)
        if ring is None or row["state"] != "offered":
            return
        contract = self._core.book.get(row["contract_id"])
        try:
            policy = self._policy()
            spec = JobSpec(
                job_id=start.job_id,
                session=SESSION,
                me=self._core.me,
                kind=row["kind"],
                contract=contract.to_plain(),
                params=row["params"],
                keys=ring.open(start.sealed_keys),
                home=str(self._core.home.root),
                dataset_version=self._versions.pop(start.job_id, ""),
                max_bits_shown=policy.max_bits_shown,
                max_share_shown=policy.max_share_shown,
                receive_timeout_s=self._core.settings.patience.receive_s,
                progress_timeout_s=self._core.settings.patience.progress_s,
                local=self._local.pop(start.job_id, {}),
            )
            self._core.record("job.started", contract=contract, job=start.job_id)
            self._core.state.update(tables.jobs, start.job_id, state="running", started=time.time())
            self.hub.start(spec)
        except SafeRoomError as error:
            self._tell_end(start.job_id, Problem.of(error, party=self._core.me, step="start"), {})

    def verdict(self, verdict: wire.JobVerdict) -> None:
        """The job is over everywhere: keep what it staged here, or destroy it."""
        problem = None if verdict.finished else Problem.from_wire(verdict.problem)
        if verdict.finished and verdict.job_id in self.not_done():
            raise PeerError(
                "a job was called finished that is not done here", party=COORDINATOR, step="verdict"
            )
        self.settle(verdict.job_id, problem)

    def answered(self, answer: wire.JobRequestAnswer) -> None:
        """The coordinator's answer to a request of ours."""
        request = self._requests.get(answer.request_id)
        if request is not None:
            request["job_id"] = answer.job_id
            request["problem"] = Problem.from_wire(answer.problem) if answer.HasField("problem") else None
            request["answered"].set()

    # -- from this node ----------------------------------------------------------------------------

    def request(
        self,
        contract_id: str,
        kind: str,
        params: Mapping[str, Any],
        local: Mapping[str, Any],
        *,
        wait_s: float,
    ) -> str:
        """Ask the coordinator for a job whose private input (`local`) stays here. Returns the job id."""
        request_id = self._core.new_id()
        entry: dict[str, Any] = {"local": dict(local), "answered": threading.Event()}
        self._requests[request_id] = entry
        message = wire.JobRequest(
            request_id=request_id, contract_id=contract_id, kind=kind, params_json=json.dumps(dict(params))
        )
        try:
            if not self._send(wire.Control(request=message)) or not entry["answered"].wait(wait_s):
                raise UsageError(
                    "the coordinator does not answer", step="request", remedy="see `saferoom party status`"
                )
        finally:
            self._requests.pop(request_id, None)
        if entry["problem"] is not None:
            raise entry["problem"].to_error()
        return str(entry["job_id"])

    def cancel(self, job_id: str, reason: str) -> None:
        row = self._core.state.find_by_prefix(tables.jobs, job_id, "job")
        if row["state"] in tables.JOB_ENDED:
            raise UsageError(f"the job is {row['state']} already", step="cancel")
        self._send(wire.Control(cancel=wire.JobCancel(job_id=row["id"], by=self._core.me, reason=reason)))
        problem = Problem(
            "CancelledError", f"cancelled by {self._core.me}: {reason}", self._core.me, "cancel"
        )
        self.settle(row["id"], problem)

    def under_way(self) -> list[str]:
        """Jobs whose verdict we do not know yet."""
        rows = self._core.state.rows(tables.jobs, tables.jobs.c.state.not_in(tables.JOB_ENDED))
        return [row["id"] for row in rows]

    def not_done(self) -> list[str]:
        """Jobs whose part here runs or waits to start."""
        rows = self._core.state.rows(tables.jobs, tables.jobs.c.state.in_(["offered", "running"]))
        return [row["id"] for row in rows]

    def contract_closed(self, contract_id: str, state: str, reason: str) -> None:
        problem = Problem("RefusedError", f"the contract was {state}: {reason}", "", "contract")
        for row in self._core.state.rows(tables.jobs, tables.jobs.c.contract_id == contract_id):
            if row["state"] not in tables.JOB_ENDED:
                self.settle(row["id"], problem)

    def fail_running(self, problem: Problem) -> None:
        """End what runs or waits to start. Parts that are done keep waiting for the verdict."""
        for job_id in self.not_done():
            self.settle(job_id, problem)

    def tick(self, now: float) -> None:
        """A job that is known to have failed elsewhere does not wait for ever to hear why."""
        for job_id, (problem, since) in list(self._hearsay.items()):
            if now - since > 2 * HEARSAY_S:
                self.settle(job_id, problem)

    def settle(self, job_id: str, problem: Problem | None) -> None:
        """Make a job's end here final. The second call changes nothing."""
        rows = self._core.state.rows(tables.jobs, tables.jobs.c.id == job_id)
        if not rows or rows[0]["state"] in tables.JOB_ENDED:
            return
        if self._rings.pop(job_id, None) is not None:
            self.hub.forget(job_id, SESSION)
        self._local.pop(job_id, None)
        self._versions.pop(job_id, None)
        self._hearsay.pop(job_id, None)
        contract = self._core.book.get(rows[0]["contract_id"])
        if problem is None:
            self._keep(rows[0], contract)
        else:
            problem = problem.at(self.watch.phase(job_id, self._core.me))
            self._destroy(job_id, contract, problem)
        plain = problem.to_dict() if problem else None
        self.watch.end(job_id, {"state": _state_after(problem), "problem": plain})

    def _keep(self, row: dict[str, Any], contract: Contract) -> None:
        job_id, until = row["id"], kept_until(self.destroyer.holdings.due(row, self._core.now()))
        kept = self.destroyer.holdings.kind(row).kept
        if kept and (not kept.file or (self._core.home.job(job_id) / kept.file).exists()):
            self._core.record(kept.event, contract=contract, job=job_id, reason=until)
        self._core.home.keep_job(job_id)
        self._core.record("job.finished", contract=contract, job=job_id)
        self._core.state.end_job(job_id, "finished", None, None)
        self.destroyer.outgrown(row)

    def _destroy(self, job_id: str, contract: Contract, problem: Problem) -> None:
        """A failure is final even where it cannot be written down; a node that restarts notes it then."""
        self.hub.cancel(job_id, problem)
        state = _state_after(problem)
        try:
            self._core.record(
                f"job.{state}", outcome="failed", contract=contract, job=job_id, reason=problem.message
            )
            note_checkpoint(self._core, contract, job_id)
            self._core.state.end_job(job_id, state, problem.to_dict(), None)
        except StorageError as error:
            logger.warning("a job's end could not be written down: %s", error.message)
        self.destroyer.discard(job_id, contract.id)

    def _running(self) -> list[str]:
        return self.hub.running()

    def _end_jobs_with(self, model: str, reason: str) -> None:
        """A model is to be destroyed: what scores with it ends."""
        problem = Problem("RefusedError", f"the model is destroyed: {reason}", self._core.me, "score")
        for job_id in self.under_way():
            row = self._core.state.get(tables.jobs, job_id, "job")
            if self.destroyer.holdings.model_of(row) == model:
                self.settle(job_id, problem)

    # -- JobOwner ----------------------------------------------------------------------------------

    def disclose(self, job_id: str, disclosure: Mapping[str, Any]) -> None:
        self._core.disclose(self._core.state.get(tables.jobs, job_id, "job"), disclosure)

    def record(self, job_id: str, event: Mapping[str, Any]) -> None:
        self._core.record_from_job(self._core.state.get(tables.jobs, job_id, "job"), event)

    def write_cut(self, job_id: str, cut: Mapping[str, Any]) -> dict[str, str]:
        core = self._core
        return write_cut(core, self._contract_of(job_id), job_id, core.me, core.keys.signing, cut)

    def progress(self, job_id: str, progress: Mapping[str, Any]) -> None:
        self.watch.progress(job_id, self._core.me, dict(progress))
        message = wire.JobProgress(
            job_id=job_id,
            party=self._core.me,
            phase=str(progress["phase"]),
            done=int(progress["done"]),
            total=int(progress["total"]),
            sent_bytes=int(progress["sent_bytes"]),
        )
        self._send(wire.Control(progress=message))

    def job_ended(self, job_id: str, problem: Problem | None, summary: dict[str, Any]) -> None:
        with self._lock:
            row = self._core.state.get(tables.jobs, job_id, "job")
            if row["state"] in tables.JOB_ENDED:
                self.destroyer.discard(job_id, row["contract_id"])
                return
            self._tell_end(job_id, problem, summary)
            if problem is not None and problem.is_hearsay:
                self._hearsay[job_id] = problem, time.monotonic()
            elif problem is not None:
                self.settle(job_id, problem)
            else:
                self._core.state.update(tables.jobs, job_id, state="awaiting verdict", summary=summary)

    # ----------------------------------------------------------------------------------------------

    def _check_new(self, job_id: str) -> None:
        """An id names a folder here, and one job for ever: whoever could repeat it could undo a job's end."""
        known = self._core.state.rows(tables.jobs, tables.jobs.c.id == job_id)
        if known or not _JOB_ID.fullmatch(job_id):
            raise PeerError(
                "an offer whose job id is known already or is none", party=COORDINATOR, step="offer"
            )

    def _note_refusal(self, offer: wire.JobOffer, params: dict[str, Any], problem: Problem) -> None:
        """A node that cannot write does not act; that it does not is said all the same."""
        try:
            self._core.record("job.refused", outcome="refused", job=offer.job_id, reason=problem.message)
            self._remember(offer, params, "refused", problem)
        except StorageError as error:
            logger.warning("a refused offer could not be written down: %s", error.message)

    def _check_offer(self, offer: wire.JobOffer, params: Mapping[str, Any]) -> tuple[Contract, str]:
        """The contract, and the version of the own data set that the job may use."""
        row = self._core.book.row(offer.contract_id)
        contract = self._core.book.get(offer.contract_id)
        if row["state"] != "active" or contract_hash(contract) != offer.contract_hash:
            raise RefusedError(
                "the contract is not active here in this form",
                remedy=f"see `saferoom contract show {contract.id}`",
            )
        now = self._core.now()
        check_active(contract, self._core.book.signatures(contract.id), now)
        check_job(contract, offer.kind, params, self._core.usage(contract.id), now)
        version = self._check_data(contract, offer.kind, params)
        self._check_asked(contract, offer)
        self._check_policy(contract, offer.kind, now)
        return contract, version

    def _check_policy(self, contract: Contract, kind: str, now: datetime) -> None:
        """The last check of an offer, because it may use a permit up."""
        policy, usage = self._policy(), self._core.usage(contract.id)
        reasons = job_reasons(policy, contract, self._core.me, kind, usage, now)
        if reasons:
            raise RefusedError("the policy forbids it: " + "; ".join(reasons), remedy="see policy.yaml")
        if policy.job_needs_person() and not self.permits.spend(contract.id, kind):
            raise RefusedError(
                "the policy asks for a person to permit each job, and nobody has",
                remedy=f"run `saferoom job permit {contract.id}` at {self._core.me}, and submit again",
            )

    def _check_data(self, contract: Contract, kind: str, params: Mapping[str, Any]) -> str:
        mine = contract.parties[self._core.me]
        registration = catalogue.recall(mine.dataset, self._core.home.data)
        check_dataset(contract, self._core.me, registration.name, registration.version)
        job = contract.kind.jobs_by_name[kind]
        if job.model_param:
            self._check_model(job.made_from(params))
        elif earlier := job.made_from(params):
            check_checkpoint(self._core, self.destroyer.holdings, contract, earlier, registration.version)
        return registration.version

    def _check_model(self, model: str) -> None:
        for row in self._core.state.rows(tables.jobs, tables.jobs.c.id == model):
            if row["state"] == "finished":
                self.destroyer.holdings.check_usable(row)
        if not model or not self._core.home.model(model).is_dir():
            raise RefusedError("the model to score with is not here", remedy="see `saferoom model list`")

    def _check_asked(self, contract: Contract, offer: wire.JobOffer) -> None:
        """What is to be scored lies at the recipient: nobody else can ask, or use its quota up."""
        is_ours = self._core.me == contract.kind.jobs_by_name[offer.kind].asked_by(contract)
        if is_ours and offer.request_id not in self._requests:
            raise RefusedError(
                "scores are asked for by their recipient", remedy=f"run `saferoom score` at {self._core.me}"
            )

    def _accept(self, contract: Contract, offer: wire.JobOffer, params: dict[str, Any]) -> None:
        self._core.record("job.accepted", contract=contract, job=offer.job_id)
        self._remember(offer, params, "offered", None)
        terms = JobTerms(offer.job_id, offer.session, offer.kind, params)
        self._rings[offer.job_id] = JobKeyring(self._core.keys, contract, terms)
        self.hub.expect(offer.job_id, offer.session)
        request = self._requests.get(offer.request_id)
        if request is not None:
            self._local[offer.job_id] = request["local"]

    def _remember(
        self, offer: wire.JobOffer, params: dict[str, Any], state: str, problem: Problem | None
    ) -> None:
        now = time.time()
        self._core.state.put(
            tables.jobs,
            id=offer.job_id,
            contract_id=offer.contract_id,
            kind=offer.kind,
            params=params,
            state=state,
            created=now,
            ended=now if problem else None,
            problem=problem.to_dict() if problem else None,
        )

    def _contract_of(self, job_id: str) -> Contract:
        return self._core.book.get(self._core.state.get(tables.jobs, job_id, "job")["contract_id"])

    def _tell_end(self, job_id: str, problem: Problem | None, summary: dict[str, Any]) -> None:
        cost = {key: value for key, value in summary.items() if key != "facts"}
        end = wire.JobEnd(job_id=job_id, finished=problem is None, summary_json=json.dumps(cost))
        if problem is not None:
            end.problem.CopyFrom(problem.to_wire())
        self._send(wire.Control(end=end))


def _state_after(problem: Problem | None) -> str:
    if problem is None:
        return "finished"
    return "cancelled" if problem.error == "CancelledError" else "failed"
