"""How many enterprises all parties hold: what the processes of its job do."""

from __future__ import annotations

import json

from saferoom.errors import RefusedError
from saferoom.jobs.context import JobContext
from saferoom.protocols.psi import align, match
from saferoom.tasks.base import Work
from saferoom.tasks.steps.rows import load_rows
from tests.toy.kind import CountParams

FILE = "count.json"


class Counting:
    """The job `count`."""

    def party(self, context: JobContext, params: CountParams) -> None:
        with context.phase("load"):
            table = load_rows(context)
        with context.phase("align"), context.session.scope("align"):
            rows = len(align(context.session, table.ids, minimum_rows=context.contract.minimum_rows))
            context.daemon.record("psi.done", rows=rows)
        if rows < params.at_least:
            raise RefusedError("fewer in common than may be told", step="count")
        context.facts["aligned"] = rows
        (context.folder / FILE).write_text(json.dumps({"rows": rows}), encoding="utf-8")

    def helper(self, context: JobContext, params: CountParams) -> None:
        del params
        with context.phase("align"), context.session.scope("align"):
            match(context.session, minimum_rows=context.contract.minimum_rows)


WORK = Work(jobs={"count": Counting()})
