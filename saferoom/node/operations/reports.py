"""What can be asked about reports."""

from __future__ import annotations

from saferoom.audit.entries.events import ModelRef
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Noun, Plain, verb
from saferoom.node.operations.copies import hand_out
from saferoom.node.operations.find import find_model
from saferoom.node.operations.report_facts import make_report, report_facts
from saferoom.tasks.results.score_files import REPORT


class Reports(Noun[Party]):
    """Reports on training jobs. Works with and without a daemon."""

    @verb("report.issue")
    def issue(self, args: Plain) -> Plain:
        """Write the report on a training job; logged first. At the label holder it holds the evaluation.

        `verdicts`: by node, of other nodes' logs that the asker looked at, as in a lab's verify.json.
        """
        row, folder = find_model(self.core, args)
        contract = self.core.book.get(row["contract_id"])
        self.core.record("report.issued", contract=contract, job=row["id"], model=ModelRef(row["id"]))
        facts = report_facts(self.core, contract, row, args.get("verdicts") or {})
        make_report(facts, folder, lang=str(args.get("lang", "en")))
        return {"id": row["id"], "report": hand_out(folder / REPORT, str(args.get("out") or ""))}
