"""What a party's data officer and risk modeller can ask of their node."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from saferoom.audit.entries.events import DataObject, ModelRef
from saferoom.data import catalogue
from saferoom.data.dataset import describe_file
from saferoom.errors import RefusedError, StorageError, UsageError
from saferoom.kinds.registry import job_names
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.daemons.party import Party
from saferoom.node.daemons.permits import Permits
from saferoom.node.daemons.resume_check import checkpoint_facts
from saferoom.node.operations.base import Operations, Plain, answer, argument
from saferoom.node.operations.lifecycle import LifecycleOperations
from saferoom.node.operations.model_card import model_card
from saferoom.node.operations.report_facts import make_report, report_facts
from saferoom.node.retention.holdings import Holdings
from saferoom.node.setup import renew_request
from saferoom.tasks.models.stability import feature_stability
from saferoom.tasks.registry import load_model, work_of
from saferoom.tasks.results.score_files import REPORT
from saferoom.tasks.steps.asked import UNSCORED, check_holds
from saferoom.tasks.steps.rows import count_asked
from saferoom.tasks.steps.scoring import score_recipient

REQUEST_WAIT_S = 20.0


def copy_out(source: Path, target: Path) -> None:
    """Copy a result to where it was asked for, with the mode it has here. Raises StorageError."""
    try:
        shutil.copy(source, target)
    except OSError as error:
        raise StorageError(
            f"cannot write {target}: {error.strerror}",
            step="copy",
            remedy="name another file; the result is kept",
        ) from error


def _reasons(args: Plain) -> Plain:
    """How many reason codes are asked for, if any."""
    asked = int(args.get("reasons", 0))
    return {"reasons": asked} if asked else {}


class PartyOperations(Operations):
    """`daemon` is None while the node is down: then only what needs no coordinator works."""

    def __init__(self, core: Core, daemon: Party | None) -> None:
        super().__init__(core, daemon.jobs.watch if daemon else None)
        self._daemon = daemon
        self._lifecycle = LifecycleOperations(core, daemon)
        self.verbs |= self._lifecycle.verbs()
        self.verbs |= {
            "status": answer(self.status),
            "data.add": answer(self.data_add),
            "data.list": answer(self.data_list),
            "data.check": answer(self.data_check),
            "data.remove": answer(self.data_remove),
            "contract.review": answer(self.contract_review),
            "contract.approve": answer(self.contract_approve),
            "contract.refuse": answer(self.contract_refuse),
            "contract.revoke": answer(self.contract_revoke),
            "job.submit": answer(self.job_submit),
            "job.permit": answer(self.job_permit),
            "job.cancel": answer(self.job_cancel),
            "model.list": answer(self.model_list),
            "model.show": answer(self.model_show),
            "model.card": answer(self.model_card),
            "model.export": answer(self.model_export),
            "model.destroy": answer(self.model_destroy),
            "model.stability": answer(self.model_stability),
            "report.issue": answer(self.report_issue),
            "score.batch": answer(self.score_batch),
            "score.one": answer(self.score_one),
            "score.result": answer(self.score_result),
            "party.renew": answer(self.party_renew),
        }

    def status(self, _args: Plain) -> Plain:
        return {
            "node": self.core.me,
            "role": "party",
            "up": self._daemon is not None,
            "connected": self._daemon is not None and self._daemon.link.is_up,
            "link": self._daemon.link.reason if self._daemon else "the node is not up",
            "remedy": self._daemon.link.remedy if self._daemon else "start it with `saferoom party up`",
            "datasets": [
                registration.name for registration in catalogue.list_registered(self.core.home.data)
            ],
            "jobs_under_way": len(self._daemon.jobs.under_way()) if self._daemon else 0,
            "log_size": self.core.log.size,
            "log_stopped": self.core.log.is_stopped,
            "witnesses": self._daemon.cosigning.words() if self._daemon else [],
            "alarms": self.core.alarms(),
        }

    def party_renew(self, _args: Plain) -> Plain:
        """Write a new enrolment request for the keys that are there."""
        renew_request(self.core, self.core.now())
        return {"request": str(self.core.home.request), "fingerprint": self.core.keys.public().fingerprint()}

    # -- data ----------------------------------------------------------------------------------------

    def data_add(self, args: Plain) -> Plain:
        """Register a data set by its description file, or anew after its file changed."""
        description = describe_file(Path(argument(args, "file")), party=self.core.me)
        known = {registration.name for registration in catalogue.list_registered(self.core.home.data)}
        registration = catalogue.register(description, self.core.home.data, now=self.core.now())
        type_ = "dataset.changed" if description.name in known else "dataset.registered"
        self._record_dataset(type_, registration)
        return registration.model_dump(mode="json")

    def data_list(self, _args: Plain) -> Plain:
        found = catalogue.list_registered(self.core.home.data)
        return {"datasets": [registration.model_dump(mode="json") for registration in found]}

    def data_check(self, args: Plain) -> Plain:
        registration = catalogue.recall(argument(args, "dataset"), self.core.home.data)
        catalogue.check(registration)
        return registration.model_dump(mode="json")

    def data_remove(self, args: Plain) -> Plain:
        registration = catalogue.recall(argument(args, "dataset"), self.core.home.data)
        self._record_dataset("dataset.removed", registration)
        catalogue.forget(registration.name, self.core.home.data)
        return {"removed": registration.name}

    def _record_dataset(self, type_: str, registration: catalogue.Registration) -> None:
        columns = tuple(column.name for column in registration.columns)
        rows = registration.counts.rows
        self.core.record(
            type_,
            object=DataObject.of(
                registration.name, rows=rows, version_hash=registration.version, columns=columns
            ),
        )

    # -- contracts -----------------------------------------------------------------------------------

    def contract_review(self, args: Plain) -> Plain:
        """The explanation, and what the party's policy says."""
        contract = self.find_contract(args)
        return {**self.contract_explain(args), "policy": self._up().contracts.review(contract.id)}

    def contract_approve(self, args: Plain) -> Plain:
        contract, daemon = self.find_contract(args), self._up()
        with daemon.lock():
            daemon.contracts.approve(contract.id, str(args.get("by", "data officer")))
        return self.contract_show({"contract": contract.id})

    def contract_refuse(self, args: Plain) -> Plain:
        contract, daemon = self.find_contract(args), self._up()
        with daemon.lock():
            daemon.contracts.refuse(
                contract.id, argument(args, "reason"), str(args.get("by", "data officer"))
            )
        return self.contract_show({"contract": contract.id})

    def contract_revoke(self, args: Plain) -> Plain:
        contract, daemon = self.find_contract(args), self._up()
        with daemon.lock():
            daemon.contracts.revoke(
                contract.id, argument(args, "reason"), str(args.get("by", "data officer"))
            )
        return self.contract_show({"contract": contract.id})

    # -- jobs and models -----------------------------------------------------------------------------

    def job_submit(self, args: Plain) -> Plain:
        """Ask the coordinator for a job; `local` (a file of enterprises to score) never leaves the node."""
        contract = self.find_contract(args)
        job_id = self._up().jobs.request(
            contract.id,
            argument(args, "kind"),
            self.training_params(args),
            dict(args.get("local", {})),
            wait_s=REQUEST_WAIT_S,
        )
        return {"job_id": job_id}

    def job_permit(self, args: Plain) -> Plain:
        """Permit the next jobs of a contract, where the policy asks for a person's word on each."""
        contract, kind, times = (
            self.find_contract(args),
            str(args.get("kind", "train")),
            int(args.get("times", 1)),
        )
        if times < 1 or kind not in job_names():
            raise UsageError(f"permit 1 or more jobs of a kind among {', '.join(job_names())}", step="permit")
        left = Permits(self.core).grant(contract, kind, times, str(args.get("by", "data officer")))
        return {"contract": contract.id, "kind": kind, "permitted": left}

    def job_show(self, args: Plain) -> Plain:
        """As anywhere; and what this party keeps of it for a job that goes on from it."""
        facts = checkpoint_facts(self.core, Holdings(self.core), self.find_job(args))
        return {**super().job_show(args), **({"checkpoint": facts} if facts else {})}

    def job_cancel(self, args: Plain) -> Plain:
        daemon, row = self._up(), self.find_job(args)
        with daemon.lock():
            daemon.jobs.cancel(row["id"], str(args.get("reason", "no reason given")))
        return self.job_show({"job": row["id"]})

    def model_list(self, _args: Plain) -> Plain:
        rows = self.core.state.rows(tables.jobs, tables.jobs.c.state == "finished")
        models = [row for row in rows if (self.core.home.model(row["id"]) / "model.json").exists()]
        return {
            "models": [
                {
                    "id": row["id"],
                    "contract": row["contract_id"],
                    "made": datetime.fromtimestamp(row["ended"], UTC).isoformat(timespec="seconds"),
                    "folder": str(self.core.home.model(row["id"])),
                }
                for row in models
            ]
        }

    def _find_model(self, args: Plain) -> tuple[Plain, Path]:
        """The job that made a model, and the folder of what it left here."""
        row = self.core.state.find_by_prefix(tables.jobs, argument(args, "model"), "model")
        folder = self.core.home.model(row["id"])
        if row["state"] == "finished" and Holdings(self.core).leaves_model(row):
            Holdings(self.core).check_usable(row)
        if not (folder / "model.json").exists():
            raise UsageError("that job left no model here", remedy="see `saferoom model list`")
        return row, folder

    def model_show(self, args: Plain) -> Plain:
        """This party's own part of a model, and where the other files of the job lie."""
        row, folder = self._find_model(args)
        model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        files = sorted(path.name for path in folder.iterdir())
        read = {
            name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for name in work_of(model["kind"]).tables
            if f"{name}.json" in files
        }
        return {"id": row["id"], "model": model, "files": files, **read}

    def model_stability(self, args: Plain) -> Plain:
        """How far own binned features have moved from training to the rows of a data set of today."""
        row, folder = self._find_model(args)
        contract = self.core.book.get(row["contract_id"])
        name = str(args.get("dataset") or contract.parties[self.core.me].dataset)
        return feature_stability(load_model(folder), catalogue.recall(name, self.core.home.data))

    def model_card(self, args: Plain) -> Plain:
        """What a model was made of and for, as this party may see it."""
        return model_card(self.core, *self._find_model(args))

    def model_export(self, args: Plain) -> Plain:
        """Copy what a job left here into a new folder; logged before it is done."""
        row, folder = self._find_model(args)
        target = Path(argument(args, "out"))
        if target.exists():
            raise UsageError(f"{target} is there already", step="export", remedy="name a new folder")
        self.core.record(
            "model.exported", contract=self.core.book.get(row["contract_id"]), model=ModelRef(row["id"])
        )
        shutil.copytree(folder, target)
        return {"id": row["id"], "folder": str(target)}

    def model_destroy(self, args: Plain) -> Plain:
        """Destroy a model, or a failed job's checkpoint, everywhere; refused if it is destroyed already."""
        row = self.core.state.find_by_prefix(tables.jobs, argument(args, "model"), "model")
        if not checkpoint_facts(self.core, Holdings(self.core), row):
            row, _ = self._find_model(args)
        return self._lifecycle.model_destroy(row, args)

    def report_issue(self, args: Plain) -> Plain:
        """Write the report on a training job; logged first. At the label holder it holds the evaluation."""
        row, folder = self._find_model(args)
        contract = self.core.book.get(row["contract_id"])
        facts = report_facts(self.core, contract, row)
        self.core.record("report.issued", contract=contract, job=row["id"], model=ModelRef(row["id"]))
        make_report(facts, folder, lang=str(args.get("lang", "en")))
        if args.get("out"):
            copy_out(folder / REPORT, Path(str(args["out"])))
        return {"id": row["id"], "report": str(args.get("out") or folder / REPORT)}

    def score_batch(self, args: Plain) -> Plain:
        return self._score(args, {"mode": "batch"}, {"input": argument(args, "input")})

    def score_one(self, args: Plain) -> Plain:
        return self._score(
            args, {"mode": "one"}, {"input": argument(args, "input"), "id": argument(args, "id")}
        )

    def _score(self, args: Plain, params: Plain, local: Plain) -> Plain:
        """Ask the coordinator for a score job; the list of enterprises stays in `local`, here."""
        row, _ = self._find_model(args)
        contract = self.core.book.get(row["contract_id"])
        recipient = score_recipient(contract)
        if recipient != self.core.me:
            raise RefusedError(
                "the contract gives scores to another party", party=recipient, remedy="ask for them there"
            )
        registration = catalogue.recall(contract.parties[self.core.me].dataset, self.core.home.data)
        if params["mode"] == "one":
            check_holds(registration, Path(local["input"]), str(local["id"]))
        rows = 1 if params["mode"] == "one" else count_asked(registration, Path(local["input"]))
        job_id = self._up().jobs.request(
            row["contract_id"],
            "score",
            {"model": row["id"], "rows": rows, **params, **_reasons(args)},
            local,
            wait_s=REQUEST_WAIT_S,
        )
        return {"job_id": job_id}

    def score_result(self, args: Plain) -> Plain:
        """Where the scores of a finished score job lie; a batch is copied to where it was asked for."""
        row = self.find_job(args)
        scores = self.core.home.model(row["id"]) / "scores.csv"
        if row["kind"] == "score" and row["state"] == "finished":
            Holdings(self.core).check_usable(row)
        if row["kind"] != "score" or not scores.exists():
            raise UsageError("that job left no scores here", remedy="see `saferoom job show`")
        if row["params"]["mode"] == "batch":
            return {"job_id": row["id"], **self._copy_scores(row, scores, args)}
        with scores.open(encoding="utf-8", newline="") as lines:
            one = next(csv.DictReader(lines))
        return {"job_id": row["id"], **one, "pd": float(one["pd"]), "points": int(one["points"])}

    @staticmethod
    def _copy_scores(row: Plain, scores: Path, args: Plain) -> Plain:
        """Copy a batch's scores, and beside them the list of enterprises that could not be scored."""
        facts, unscored, out = row["summary"]["facts"], scores.with_name(UNSCORED), args.get("out")
        answer: Plain = {"scores": str(scores), "rows": facts["scored"], "unscored": facts["unscored"]}
        if out:
            answer["scores"] = str(out)
            copy_out(scores, Path(str(out)))
        if facts["unscored"]:
            target = unscored if not out else Path(str(out)).with_suffix(".unscored.csv")
            answer["unscored_list"] = str(target)
            if out:
                copy_out(unscored, target)
        return answer

    def _up(self) -> Party:
        if self._daemon is None:
            raise UsageError("the node is not up", remedy="start it with `saferoom party up`")
        return self._daemon
