"""What can be asked about scores: ask for them, and fetch them."""

from __future__ import annotations

import csv
from pathlib import Path

from saferoom.contracts.contract import Contract
from saferoom.data import catalogue
from saferoom.data.list_file import OPTIONS
from saferoom.errors import RefusedError, UsageError
from saferoom.kinds.jobs import SCORE
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Noun, Plain, argument, verb
from saferoom.node.operations.copies import hand_out
from saferoom.node.operations.find import find_job, find_model
from saferoom.node.operations.jobs import REQUEST_WAIT_S
from saferoom.node.retention.holdings import Holdings
from saferoom.tasks.registry import load_model
from saferoom.tasks.results.score_files import SCORES
from saferoom.tasks.steps.asked import UNSCORED, count_asked
from saferoom.tasks.steps.scoring import score_recipient


class Scores(Noun[Party]):
    """Scores that this party asks for. The list of enterprises never leaves its node."""

    @verb("score.batch")
    def batch(self, args: Plain) -> Plain:
        """Ask for the scores of the enterprises in a file."""
        local = {**_list(args), **({"keep": True} if args.get("keep") else {})}
        return self._ask(args, {"mode": "batch"}, local)

    @verb("score.one")
    def one(self, args: Plain) -> Plain:
        """Ask for the score of one enterprise of a file."""
        local = {**_list(args), "id": argument(args, "id")}
        return self._ask(args, {"mode": "one"}, local)

    @verb("score.result")
    def result(self, args: Plain) -> Plain:
        """Where the scores of a finished score job lie; a batch is copied to where it was asked for."""
        row, scores = self._find_scores(args)
        if row["params"]["mode"] == "batch":
            return {"job_id": row["id"], **_results(row, scores, args), **_strangeness(row)}
        with scores.open(encoding="utf-8", newline="") as lines:
            one = next(csv.DictReader(lines))
        numbers = {name: of(one[name]) for name, of in (("pd", float), ("points", int)) if name in one}
        return {"job_id": row["id"], **one, **numbers, **_strangeness(row)}

    def _ask(self, args: Plain, params: Plain, local: Plain) -> Plain:
        """Ask the coordinator for a score job; the list of enterprises stays in `local`, here."""
        row, folder = find_model(self.core, args)
        contract = self.core.book.get(row["contract_id"])
        self._check_recipient(contract)
        registration = catalogue.recall(contract.parties[self.core.me].dataset, self.core.home.data)
        rows = count_asked(registration, load_model(folder), local)
        job_id = self.running().jobs.request(
            row["contract_id"],
            SCORE,
            {"model": row["id"], "rows": rows, **params, **_reasons(args)},
            local,
            wait_s=REQUEST_WAIT_S,
        )
        return {"job_id": job_id}

    def _check_recipient(self, contract: Contract) -> None:
        """Raise RefusedError if another party learns the scores."""
        recipient = score_recipient(contract)
        if recipient != self.core.me:
            raise RefusedError(
                "the contract gives scores to another party", party=recipient, remedy="ask for them there"
            )

    def _find_scores(self, args: Plain) -> tuple[Plain, Path]:
        """The job that made the scores asked for, and their file. Raises UsageError, RefusedError."""
        row = find_job(self.core, args)
        scores, holdings = self.core.home.model(row["id"]) / SCORES, Holdings(self.core)
        if holdings.model_of(row) and row["state"] == "finished":
            holdings.check_usable(row)
        if not holdings.model_of(row) or not scores.exists():
            raise UsageError("that job left no scores here", remedy="see `saferoom job show`")
        return row, scores


def _reasons(args: Plain) -> Plain:
    """How many reason codes are asked for, if any."""
    asked = int(args.get("reasons", 0))
    return {"reasons": asked} if asked else {}


def _list(args: Plain) -> Plain:
    """The list's file, and what is said of how to read it."""
    reading = {name: args[name] for name in OPTIONS if args.get(name)}
    return {"input": argument(args, "input"), "reading": reading}


def _strangeness(job: Plain) -> Plain:
    """Rows of the list with values that the model does not know, and without values, by column; warnings."""
    found = job["summary"]["facts"].get("list", {})
    return {key: found[key] for key in ("unseen", "missing", "warnings") if found.get(key)}


def _results(job: Plain, scores: Path, args: Plain) -> Plain:
    """A batch's scores, copied if asked, and beside them the list of enterprises that could not be scored."""
    facts, out = job["summary"]["facts"], str(args.get("out") or "")
    unscored = facts.get("unscored", {})  # known to the party that asked
    answer = {"scores": hand_out(scores, out), "rows": facts["scored"], "unscored": unscored}
    if unscored:
        beside = str(Path(out).with_suffix(".unscored.csv")) if out else ""
        answer["unscored_list"] = hand_out(scores.with_name(UNSCORED), beside)
    return answer
