"""Destroys what jobs left on this node: when its time is over, when a party orders it, when a job failed.

    due  ->  written down  ->  logged (destruction.begun)  ->  destroyed, checked  ->  logged (….destroyed)
               due                     begun                                               destroyed
                                         └──── cannot be done: logged as failed, tried again ────┘

Whatever stands between two steps when the node dies is taken up again at its next start.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from saferoom.audit.entries.events import Deletion, ModelRef
from saferoom.audit.log.erasure import METHOD, count_files, wipe_tree
from saferoom.errors import StorageError
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.retention.holdings import ORPHAN, UNFINISHED, Cause, Holdings

logger = logging.getLogger(__name__)

FIRST_RETRY_S, LAST_RETRY_S = 60.0, 3600.0
TO_FOLLOW = "to follow"
CHECKED = "no file is left, nor any result in the node's database"
_JOB_ID = re.compile(r"[0-9a-f]{32}")

Row = Mapping[str, Any]


class Destroyer:
    """Called under the node's lock. `end_jobs(model, reason)` ends jobs that use a model to be destroyed."""

    def __init__(
        self, core: Core, end_jobs: Callable[[str, str], None], running: Callable[[], list[str]]
    ) -> None:
        self.holdings = Holdings(core)
        self._core = core
        self._end_jobs = end_jobs
        self._running = running

    def sweep(self, *, at_start: bool = False) -> None:
        """Destroy all that is due. At the start also what failed lately. Raises StorageError."""
        for job in self._held():
            cause = self.holdings.cause(job)
            if cause is not None:
                self._mark(job["id"], job["contract_id"], cause)
        for job_id, contract_id in self._leftovers():
            self._mark(job_id, contract_id, UNFINISHED)
        self._drop_checkpoints()
        now = self._core.now().timestamp()
        for row in self._unfinished_business():
            if at_start or row["next_try"] <= now:
                self._destroy(row)

    def order(self, job: Row, cause: Cause) -> None:
        """A party's order, verified: written down, and carried out at once with all that hangs on it."""
        if not self._is_gone(job["id"]):
            self._mark(job["id"], job["contract_id"], cause)
        self.sweep()

    def discard(self, job_id: str, contract_id: str) -> None:
        """What an unfinished job wrote goes now.

        Where that cannot be logged it goes all the same: nobody was told that it is kept.
        """
        folder = self._core.home.job(job_id)
        with suppress(StorageError):
            if count_files(folder):
                self._mark(job_id, contract_id, UNFINISHED)
                self._destroy(self._row(job_id))
        self._core.home.destroy_job(job_id)

    def outgrown(self, job: Row) -> None:
        """A job has finished: the checkpoints that led to it go. What cannot go now, the next sweep finds."""
        self._core.home.destroy_checkpoint(job["id"])
        if self.holdings.resumed(job):
            with suppress(StorageError):
                self.sweep()

    # ------------------------------------------------------------------------------------------------

    def _held(self) -> list[dict[str, Any]]:
        """Jobs that left something nobody has destroyed yet: a result, or a checkpoint to resume from."""
        gone = {
            row["job_id"]
            for row in self._core.state.rows(tables.destructions)
            if row["type"] != UNFINISHED.type
        }
        rows = self._core.state.rows(tables.jobs, tables.jobs.c.state.in_(tables.JOB_ENDED))
        held = [
            row
            for row in rows
            if row["state"] == "finished" or self._core.home.checkpoint(row["id"]).is_dir()
        ]
        # What was made with or from another's follows from orders on that.
        return sorted(
            (row for row in held if row["id"] not in gone),
            key=lambda row: (bool(self.holdings.model_of(row)), row["created"]),
        )

    def _drop_checkpoints(self) -> None:
        """Those that no job may resume: of jobs that finished, of unknown ones, of what was destroyed."""
        for job_id in self._left_in(self._core.home.checkpoint(".")):
            rows = self._core.state.rows(tables.jobs, tables.jobs.c.id == job_id)
            if not rows:
                self._mark(job_id, "", ORPHAN)
            elif rows[0]["state"] == "finished":
                self._core.home.destroy_checkpoint(job_id)
            elif self._is_gone(job_id):
                self._mark(job_id, rows[0]["contract_id"], UNFINISHED)

    def _left_in(self, root: Path) -> list[str]:
        """Jobs that have a folder there and do not run."""
        running = set(self._running())
        names = sorted(folder.name for folder in root.glob("*")) if root.is_dir() else []
        return [name for name in names if _JOB_ID.fullmatch(name) and name not in running]

    def _is_gone(self, job_id: str) -> bool:
        """Whether all that a job left is destroyed, or is to be."""
        known = self.holdings.destruction(job_id)
        return known is not None and known["type"] != UNFINISHED.type

    def _leftovers(self) -> Iterator[tuple[str, str]]:
        """(job, contract) of folders that an unfinished job left behind."""
        for root, is_results in ((self._core.home.job("."), False), (self._core.home.model("."), True)):
            for name in self._left_in(root):
                rows = self._core.state.rows(tables.jobs, tables.jobs.c.id == name)
                ended = not rows or rows[0]["state"] in tables.JOB_ENDED
                lost = rows and rows[0]["state"] != "finished" if is_results else ended
                if lost and ended:
                    yield name, rows[0]["contract_id"] if rows else ""

    def _unfinished_business(self) -> list[dict[str, Any]]:
        return self._core.state.rows(tables.destructions, tables.destructions.c.state != "destroyed")

    def _row(self, job_id: str) -> dict[str, Any]:
        return self._core.state.get(tables.destructions, job_id, "destruction")

    def _mark(self, job_id: str, contract_id: str, cause: Cause) -> None:
        """Write down that it is to be destroyed, so that no crash lets it be forgotten."""
        known, now = self.holdings.destruction(job_id), self._core.now().timestamp()
        if known is not None and known["type"] != UNFINISHED.type:
            # The word on it stands. What has turned up since goes on the same word.
            if known["state"] == "destroyed":
                self._change(known, state="due", scope="", next_try=now)
            return
        if known is not None and known["state"] != "destroyed" and cause == UNFINISHED:
            return
        self._core.state.put(
            tables.destructions,
            job_id=job_id,
            contract_id=contract_id,
            type=cause.type,
            reason=cause.reason,
            by=cause.by,
            on_behalf_of=cause.on_behalf_of,
            signature=cause.signature,
            state="due",
            scope="",
            tries=0,
            next_try=now,
            changed=now,
        )

    def _destroy(self, row: Row) -> None:
        """One try. Log before act: what cannot be logged is not begun."""
        scope = row["scope"] or self._scope(row)
        try:
            self._end_jobs(row["job_id"], row["reason"])
            self._record(row, "destruction.begun", Deletion(METHOD, scope, TO_FOLLOW))
            self._change(row, state="begun", scope=scope)
            self._wipe(row)
            self._check(row)
            self._record(row, row["type"], Deletion(METHOD, scope, CHECKED))
            self._change(row, state="destroyed")
        except StorageError as error:
            self._failed(row, scope, error)

    def _failed(self, row: Row, scope: str, error: StorageError) -> None:
        logger.warning("what a job left could not be destroyed: %s", error.message)
        wait_s = min(FIRST_RETRY_S * 2 ** row["tries"], LAST_RETRY_S)
        # A node whose log or state cannot be written either has said so; it tries again at its next start.
        with suppress(StorageError):
            self._change(
                row,
                state="failed",
                tries=row["tries"] + 1,
                next_try=self._core.now().timestamp() + wait_s,
            )
            self._record(row, row["type"], Deletion(METHOD, scope, "something is left"), failed=error.message)

    def _wipe(self, row: Row) -> None:
        for folder in self._folders(row):
            wipe_tree(folder)
        self._core.state.forget_results(row["job_id"])

    def _check(self, row: Row) -> None:
        """Look again. Raises StorageError if anything is left."""
        job_id = row["job_id"]
        left = [folder for folder in self._folders(row) if os.path.lexists(folder)]
        rows = self._core.state.rows(tables.jobs, tables.jobs.c.id == job_id)
        if left or (rows and rows[0]["summary"]):
            raise StorageError("it is still there after it was destroyed", step="destroy")

    def _folders(self, row: Row) -> list[Path]:
        """What is to go. From the checkpoint of a job that did not finish another may go on."""
        home, job_id = self._core.home, row["job_id"]
        found = [home.job(job_id), home.model(job_id)]
        return found if row["type"] == UNFINISHED.type else [*found, home.checkpoint(job_id)]

    def _scope(self, row: Row) -> str:
        files = sum(count_files(folder) for folder in self._folders(row))
        return f"{files} files and the results in the job's row"

    def _change(self, row: Row, **values: Any) -> None:
        now = self._core.now().timestamp()
        self._core.state.update(tables.destructions, row["job_id"], changed=now, **values)

    def _record(self, row: Row, type_: str, deletion: Deletion, *, failed: str = "") -> None:
        self._core.record(
            type_,
            outcome="failed" if failed else "allowed",
            contract=self._core.book.find(row["contract_id"]),
            job=row["job_id"],
            by=row["by"],
            on_behalf_of=row["on_behalf_of"],
            reason=failed or row["reason"],
            model=ModelRef(row["job_id"]) if row["type"] == "model.destroyed" else None,
            deletion=deletion,
        )
