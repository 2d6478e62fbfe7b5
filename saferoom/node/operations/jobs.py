"""What can be asked about jobs: see them at every node; submit, cancel and permit them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from saferoom.errors import UsageError
from saferoom.ids import COORDINATOR
from saferoom.kinds.registry import job_names
from saferoom.node import state as tables
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.daemons.permits import Permits
from saferoom.node.daemons.resume_check import checkpoint_facts
from saferoom.node.operations.base import Daemon, Noun, Plain, argument, officer, verb
from saferoom.node.operations.find import find_contract, find_job
from saferoom.node.retention.holdings import Holdings
from saferoom.tasks.results.score_files import METRICS

REQUEST_WAIT_S = 20.0
BRIEF = ("id", "contract_id", "kind", "state", "created")


class Jobs(Noun[Daemon]):
    """Jobs as every node of the room knows them."""

    @verb("job.list")
    def list_all(self, _args: Plain) -> Plain:
        """A line on each job, the oldest first."""
        rows = sorted(self.core.state.rows(tables.jobs), key=lambda row: row["created"])
        return {"jobs": [{key: row[key] for key in BRIEF} for row in rows]}

    @verb("job.show")
    def show(self, args: Plain) -> Plain:
        """All that this node knows of a job; at a party also what it keeps of it."""
        row = find_job(self.core, args)
        return {**json.loads(json.dumps(row)), **self._kept(row)}

    @verb("job.watch")
    def watch(self, args: Plain) -> Iterator[Plain]:
        """Progress as it comes, then the outcome."""
        row = find_job(self.core, args)
        if row["state"] in tables.JOB_ENDED:
            yield {"job_id": row["id"], "state": row["state"], "problem": row["problem"]}
            return
        if self.daemon is None:
            raise UsageError("the node is not up", step="watch", remedy="start it with `saferoom ... up`")
        yield from self.daemon.jobs.watch.follow(row["id"])

    def _kept(self, _row: Plain) -> Plain:
        """What this node keeps of a job, for people and for a job that resumes it; only parties do."""
        return {}

    def _params(self, args: Plain) -> Plain:
        """The parameters of the job asked for; `resume` may be the beginning of an earlier one's id."""
        params = dict(args.get("params", {}))
        if args.get("resume"):
            params["resume"] = find_job(self.core, {"job": args["resume"]})["id"]
        return params


class JobsAtParty(Jobs[Party]):
    """A party asks the coordinator for jobs, and has the say over those it takes part in."""

    @verb("job.submit")
    def submit(self, args: Plain) -> Plain:
        """Ask the coordinator for a job; `local` (a file of enterprises to score) never leaves the node."""
        contract = find_contract(self.core, args)
        job_id = self.running().jobs.request(
            contract.id,
            argument(args, "kind"),
            self._params(args),
            dict(args.get("local", {})),
            wait_s=REQUEST_WAIT_S,
        )
        return {"job_id": job_id}

    @verb("job.permit")
    def permit(self, args: Plain) -> Plain:
        """Permit the next jobs of a contract, where the policy asks for a person's word on each."""
        contract = find_contract(self.core, args)
        kind, times = _permitted(args)
        left = Permits(self.core).grant(contract, kind, times, officer(args))
        return {"contract": contract.id, "kind": kind, "permitted": left}

    @verb("job.cancel")
    def cancel(self, args: Plain) -> Plain:
        """End a job for everybody."""
        daemon, row = self.running(), find_job(self.core, args)
        with daemon.lock():
            daemon.jobs.cancel(row["id"], _why(args))
        return self.show({"job": row["id"]})

    def _kept(self, row: Plain) -> Plain:
        facts = checkpoint_facts(self.core, Holdings(self.core), row)
        return {**({"checkpoint": facts} if facts else {}), **self._results(row)}

    def _results(self, row: Plain) -> Plain:
        """At the party that evaluated the model, as long as it is kept."""
        file = self.core.home.model(row["id"]) / METRICS
        return {"results": json.loads(file.read_text(encoding="utf-8"))} if file.exists() else {}


class JobsAtCoordinator(Jobs[Coordinator]):
    """The coordinator schedules jobs; every party still accepts or refuses."""

    @verb("job.submit")
    def submit(self, args: Plain) -> Plain:
        """Offer a job to the parties of its contract."""
        contract = find_contract(self.core, args)
        job_id = self.running().submit(
            contract.id, argument(args, "kind"), self._params(args), by=COORDINATOR
        )
        return {"job_id": job_id}

    @verb("job.cancel")
    def cancel(self, args: Plain) -> Plain:
        """End a job for everybody."""
        row = find_job(self.core, args)
        self.running().cancel(row["id"], COORDINATOR, _why(args))
        return self.show({"job": row["id"]})


def _permitted(args: Plain) -> tuple[str, int]:
    """The kind of job that is permitted, and how many times. Raises UsageError."""
    kind, times = str(args.get("kind", "train")), int(args.get("times", 1))
    if times < 1 or kind not in job_names():
        raise UsageError(f"permit 1 or more jobs of a kind among {', '.join(job_names())}", step="permit")
    return kind, times


def _why(args: Plain) -> str:
    return str(args.get("reason", "no reason given"))
