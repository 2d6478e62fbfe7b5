"""What a data officer can ask about the end of things: destroy a model, unlink an enterprise from the log."""

from __future__ import annotations

from contextlib import nullcontext

from saferoom.audit.entries.events import Deletion
from saferoom.errors import StorageError
from saferoom.node.core import Core
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Plain, Verb, answer, argument
from saferoom.node.retention.destroy_orders import give_order
from saferoom.node.retention.destroyer import TO_FOLLOW, Destroyer

SALT_METHOD = "overwrite in the database and its journal"


class LifecycleOperations:
    """Works with and without a daemon; without one, the other nodes hear of it when it is up again."""

    def __init__(self, core: Core, daemon: Party | None) -> None:
        self._core = core
        self._daemon = daemon
        self._destroyer = daemon.jobs.destroyer if daemon else Destroyer(core, lambda *_: None, list)

    def verbs(self) -> dict[str, Verb]:
        return {"subject.unlink": answer(self.subject_unlink)}

    def model_destroy(self, job: Plain, args: Plain) -> Plain:
        """Destroy a model here and order it destroyed at every party of its contract. `job` made the model.

        Raises StorageError if it could not be destroyed here; it is then tried again.
        """
        reason, by = str(argument(args, "reason")), str(args.get("by", "data officer"))
        with self._daemon.lock() if self._daemon else nullcontext():
            give_order(self._core, self._destroyer, job, reason, by)
            if self._daemon:
                self._daemon.tell_orders()
        done = self._destroyer.holdings.destruction(job["id"])
        if done is None or done["state"] != "destroyed":
            raise StorageError(
                "the model could not be destroyed yet; nobody can use it any more",
                party=self._core.me,
                step="destroy",
                remedy="see the node's log for the reason; it is tried again by itself",
            )
        is_told = self._daemon is not None and self._daemon.link.is_up
        others = sorted(set(self._core.book.get(job["contract_id"]).parties) - {self._core.me})
        return {"id": job["id"], "destroyed": done["scope"], "ordered": others, "told": is_told}

    def subject_unlink(self, args: Plain) -> Plain:
        """Erase the salts of one enterprise: no entry of this log can be linked with it any more. Logged."""
        subject, by = str(argument(args, "subject")), str(args.get("by", "data officer"))
        scope = f"the salts of one subject, in {self._core.home.salts.name}"
        with self._daemon.lock() if self._daemon else nullcontext():
            self._core.record(
                "destruction.begun", on_behalf_of=by, deletion=Deletion(SALT_METHOD, scope, TO_FOLLOW)
            )
            try:
                erased = self._core.salts.erase(subject)
            except StorageError as error:
                failed = Deletion(SALT_METHOD, scope, "something is left")
                self._core.record(
                    "salt.destroyed",
                    outcome="failed",
                    on_behalf_of=by,
                    reason=error.message,
                    deletion=failed,
                )
                raise
            gone = Deletion(SALT_METHOD, f"{scope}: {erased}", "no salt fits the subject any more")
            self._core.record("salt.destroyed", on_behalf_of=by, deletion=gone)
        return {"erased": erased}
