"""The coordinator's jobs: offered, started, watched, ended; and the helper's part in them."""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from saferoom.audit.entries.events import Event, PeerRef
from saferoom.audit.entries.vocabulary import bucket
from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.checks import check_active, check_job
from saferoom.contracts.contract import Contract
from saferoom.errors import PeerError, RefusedError, SafeRoomError, StorageError, UsageError
from saferoom.identity.keys import NodeKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.problem import UNKNOWN_STEP, Problem
from saferoom.jobs.spec import JobSpec
from saferoom.link.relay.flow_book import FlowBook, FlowCut
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.daemons.resume_check import check_earlier
from saferoom.node.daemons.runs import Run, Runs
from saferoom.node.processes.hub import JobHub
from saferoom.node.processes.job_keys import JobKeyring, JobTerms
from saferoom.node.processes.transcripts import write_cut
from saferoom.node.processes.watch import Watch
from saferoom.node.retention.destroyer import Destroyer

logger = logging.getLogger(__name__)

SESSION = 1
START_AGAIN = "start the job again"


class JobDesk:
    """RunPort of the state machine and JobOwner of the helper's processes. `lock` guards both."""

    def __init__(
        self,
        core: Core,
        helper_keys: NodeKeys,
        lock: threading.RLock,
        send: Callable[[str, wire.Control], bool],
        connected: Callable[[], set[str]],
        flows: FlowBook,
    ) -> None:
        patience = core.settings.patience
        self.watch = Watch()
        self.runs = Runs(self, offer_s=patience.offer_s, gone_s=patience.peer_gone_s)
        self.hub: JobHub
        self._core = core
        self._helper_keys = helper_keys
        self._lock = lock
        self._send = send
        self._connected = connected
        self._flows = flows
        self._rings: dict[str, JobKeyring] = {}
        self.destroyer = Destroyer(core, self._end_jobs_with, self._running)

    def end_orphans(self) -> None:
        """Jobs that a crash of the coordinator cut off have failed."""
        problem = Problem(
            "PeerError", "the coordinator was restarted", COORDINATOR, UNKNOWN_STEP, START_AGAIN
        )
        for row in self._core.state.rows(tables.jobs, tables.jobs.c.state.in_(["offered", "running"])):
            contract = self._core.book.get(row["contract_id"])
            self._core.record(
                "job.failed", outcome="failed", contract=contract, job=row["id"], reason=problem.message
            )
            self._core.state.end_job(row["id"], "failed", problem.to_dict(), None)
            self._core.home.destroy_job(row["id"])

    def submit(
        self, contract_id: str, kind: str, params: Mapping[str, Any], *, by: str, request_id: str = ""
    ) -> str:
        """Offer a job to all parties of a contract; returns its id. Raises RefusedError, PeerError."""
        contract = self._core.book.get(contract_id)
        try:
            self._check(contract, kind, params, by)
        except SafeRoomError as error:
            reason = error.message
            self._core.record(
                "job.refused", outcome="refused", contract=contract, reason=reason, on_behalf_of=by
            )
            raise
        parties = tuple(sorted(contract.parties))
        run = Run(secrets.token_hex(16), SESSION, contract_id, kind, dict(params), parties, time.monotonic())
        self._remember(run)
        self._core.record("job.offered", contract=contract, job=run.job_id, on_behalf_of=by)
        self._offer(contract, run, request_id)
        return run.job_id

    def cancel(self, job_id: str, by: str, reason: str) -> None:
        """Any side may cancel. Raises UsageError if the job is not under way."""
        run = self.runs.get(job_id)
        if run is None:
            raise UsageError("the job is not under way", step="cancel", remedy="see `saferoom job list`")
        if by not in (*run.parties, COORDINATOR):
            raise RefusedError("the job is not this party's", party=by, step="cancel")
        problem = Problem("CancelledError", f"cancelled by {by}: {reason}", by, "cancel", START_AGAIN)
        self.runs.end(run, "cancelled", problem)

    def contract_closed(self, contract: Contract, state: str, by: str) -> None:
        """Revocation stops running jobs."""
        problem = Problem(
            "RefusedError", f"the contract was {state}", by, "contract", "agree on a new contract"
        )
        for run in self.runs.under_way():
            if run.contract_id == contract.id:
                self.runs.end(run, "cancelled", problem)

    def _running(self) -> list[str]:
        return self.hub.running()

    def _end_jobs_with(self, model: str, reason: str) -> None:
        """A model is to be destroyed: what scores with it ends."""
        problem = Problem("RefusedError", f"the model is destroyed: {reason}", COORDINATOR, "score")
        for run in self.runs.under_way():
            row = self._core.state.get(tables.jobs, run.job_id, "job")
            if self.destroyer.holdings.model_of(row) == model:
                self.runs.end(run, "cancelled", problem)

    def end_all(self) -> None:
        problem = Problem("PeerError", "the coordinator is stopping", COORDINATOR, UNKNOWN_STEP, START_AGAIN)
        for run in self.runs.under_way():
            self.runs.end(run, "failed", problem)

    def tell_verdicts(self, party: str, job_ids: set[str]) -> None:
        """A reconnected party asks what became of these jobs."""
        if not job_ids:
            return
        for row in self._core.state.rows(tables.jobs, tables.jobs.c.id.in_(job_ids)):
            if row["state"] not in tables.JOB_ENDED:
                continue
            contract = self._core.book.find(row["contract_id"])
            if contract and party in contract.parties:
                self._send_verdict(party, row["id"], row["state"], row["problem"])

    # -- RunPort -----------------------------------------------------------------------------------

    def start_run(self, run: Run) -> None:
        contract = self._core.book.get(run.contract_id)
        try:
            self._core.record("job.started", contract=contract, job=run.job_id)
            self._core.state.update(tables.jobs, run.job_id, state="running", started=time.time())
            keys = self._rings.pop(run.job_id).open({p: run.keys[p].get(HELPER, b"") for p in run.parties})
            self.hub.start(
                JobSpec(
                    job_id=run.job_id,
                    session=run.session,
                    me=HELPER,
                    kind=run.kind,
                    contract=contract.to_plain(),
                    params=run.params,
                    keys=keys,
                    home=str(self._core.home.root),
                    receive_timeout_s=self._core.settings.patience.receive_s,
                    progress_timeout_s=self._core.settings.patience.progress_s,
                )
            )
        except SafeRoomError as error:
            self.runs.end(run, "failed", Problem.of(error, party=HELPER, step="start"))
            return
        for party in run.parties:
            sealed = {peer: keys[party] for peer, keys in run.keys.items() if party in keys}
            start = wire.JobStart(job_id=run.job_id, sealed_keys=sealed)
            self._send(party, wire.Control(start=start))

    def end_run(self, run: Run, state: str, problem: Problem | None) -> None:
        if problem is not None:
            problem = problem.at(self.watch.phase(run.job_id, problem.party))
        try:
            self._write_end(run, state, problem)
        except StorageError as error:
            # An end that is not written down is no finish; the parties must hear of it all the same.
            logger.warning("a job's end could not be written down: %s", error.message)
            state, problem = "failed", problem or Problem.of(error, party=COORDINATOR, step="verdict")
        plain = problem.to_dict() if problem else None
        if self._rings.pop(run.job_id, None) is not None:
            self.hub.forget(run.job_id, run.session)
        if problem is not None:
            self.hub.cancel(run.job_id, problem)
        for party in run.parties:
            self._send_verdict(party, run.job_id, state, plain)
        self.watch.end(run.job_id, {"state": state, "problem": plain})

    def write_flows(self) -> None:
        """Log what passed up to the latest marks. Raises StorageError."""
        self._core.record_all([self._passed(cut) for cut in self._flows.take()])

    def _passed(self, cut: FlowCut) -> Event:
        peer = PeerRef(
            org=cut.sender,
            direction="relayed",
            to=cut.receiver,
            cut=None if cut.is_rest else cut.number,
            messages=cut.said.messages,
            bytes_bucket=bucket(cut.said.size_bytes),
            transcript=cut.said.digest.hex(),
        )
        outcome = "failed" if cut.is_rest else "allowed"
        contract = self._contract_of(cut.job_id)
        return self._core.event(
            "relay.envelope", outcome=outcome, contract=contract, job=cut.job_id, peer=peer
        )

    def _write_end(self, run: Run, state: str, problem: Problem | None) -> None:
        self._core.record_all([self._passed(cut) for cut in self._flows.close(run.job_id, run.session)])
        contract = self._core.book.get(run.contract_id)
        outcome = {"finished": "allowed", "refused": "refused"}.get(state, "failed")
        reason = problem.message if problem else ""
        self._core.record(f"job.{state}", outcome=outcome, contract=contract, job=run.job_id, reason=reason)
        self._core.state.end_job(run.job_id, state, problem.to_dict() if problem else None, run.ended)

    # -- JobOwner of the helper ----------------------------------------------------------------------

    def disclose(self, job_id: str, disclosure: Mapping[str, Any]) -> None:
        self._core.disclose(self._core.state.get(tables.jobs, job_id, "job"), disclosure, by=HELPER)

    def record(self, job_id: str, event: Mapping[str, Any]) -> None:
        self._core.record_from_job(self._core.state.get(tables.jobs, job_id, "job"), event)

    def write_cut(self, job_id: str, cut: Mapping[str, Any]) -> dict[str, str]:
        contract, key = self._contract_of(job_id), self._helper_keys.signing
        return write_cut(self._core, contract, job_id, HELPER, key, cut)

    def progress(self, job_id: str, progress: Mapping[str, Any]) -> None:
        self.watch.progress(job_id, HELPER, dict(progress))

    def job_ended(self, job_id: str, problem: Problem | None, summary: dict[str, Any]) -> None:
        with self._lock:
            # Not before: a process that was told to end may still be making its folder.
            self._core.home.destroy_job(job_id)
            self.runs.part_ended(job_id, HELPER, problem, summary)

    # ------------------------------------------------------------------------------------------------

    def _contract_of(self, job_id: str) -> Contract:
        return self._core.book.get(self._core.state.get(tables.jobs, job_id, "job")["contract_id"])

    def _check(self, contract: Contract, kind: str, params: Mapping[str, Any], by: str) -> None:
        if by not in (*contract.parties, COORDINATOR):
            raise RefusedError("the contract does not name this party", party=by, step="submit")
        state = self._core.book.row(contract.id)["state"]
        if state != "active":
            remedy = f"see `saferoom contract show {contract.id}`"
            raise RefusedError(f"the contract is {state}, not active", step="submit", remedy=remedy)
        now = self._core.now()
        check_active(contract, self._core.book.signatures(contract.id), now)
        check_job(contract, kind, params, self._core.usage(contract.id), now)
        job = contract.kind.jobs_by_name[kind]
        if not job.model_param and job.made_from(params):
            check_earlier(self._core, contract, job.made_from(params))
        missing = sorted(set(contract.parties) - self._connected())
        if missing:
            raise PeerError(
                "the party is not connected", party=missing[0], step="submit", remedy="start its node"
            )

    def _remember(self, run: Run) -> None:
        self._core.state.put(
            tables.jobs,
            id=run.job_id,
            contract_id=run.contract_id,
            kind=run.kind,
            params=run.params,
            state="offered",
            created=time.time(),
        )

    def _offer(self, contract: Contract, run: Run, request_id: str) -> None:
        ring = JobKeyring(
            self._helper_keys, contract, JobTerms(run.job_id, run.session, run.kind, run.params)
        )
        self._rings[run.job_id] = ring
        run.keys[HELPER] = ring.envelopes
        self._flows.open(run.job_id, run.session, run.everyone())
        self.runs.add(run)
        self.hub.expect(run.job_id, run.session)
        offer = wire.JobOffer(
            job_id=run.job_id,
            session=run.session,
            contract_id=contract.id,
            contract_hash=contract_hash(contract),
            kind=run.kind,
            params_json=json.dumps(run.params),
            request_id=request_id,
        )
        for party in run.parties:
            self._send(party, wire.Control(offer=offer))

    def _send_verdict(self, party: str, job_id: str, state: str, problem: dict[str, str] | None) -> None:
        verdict = wire.JobVerdict(job_id=job_id, finished=state == "finished")
        if problem is not None:
            verdict.problem.CopyFrom(Problem(**problem).to_wire())
        self._send(party, wire.Control(verdict=verdict))
