"""What a data officer can ask about the end of things: destroy a model, unlink an enterprise from the log."""

from __future__ import annotations

from saferoom.audit.entries.events import Deletion
from saferoom.errors import StorageError
from saferoom.node.daemons.party import Party
from saferoom.node.daemons.resume_check import checkpoint_facts
from saferoom.node.operations.base import Noun, Plain, argument, locked, officer, verb
from saferoom.node.operations.find import find_maker, find_model
from saferoom.node.retention.destroy_orders import give_order
from saferoom.node.retention.destroyer import TO_FOLLOW, Destroyer
from saferoom.node.retention.holdings import Holdings

SALT_METHOD = "overwrite in the database and its journal"


class Destruction(Noun[Party]):
    """Works with and without a daemon; without one, the other nodes hear of it when it is up again."""

    @verb("model.destroy")
    def destroy_model(self, args: Plain) -> Plain:
        """Destroy a model, or a failed job's checkpoint, everywhere; refused if it is destroyed already.

        Raises StorageError if it could not be destroyed here; it is then tried again.
        """
        job = self._to_destroy(args)
        reason, by = str(argument(args, "reason")), officer(args)
        destroyer = self._destroyer()
        with locked(self.daemon):
            give_order(self.core, destroyer, job, reason, by)
            if self.daemon:
                self.daemon.tell_orders()
        scope = self._destroyed(destroyer.holdings, job)
        is_told = self.daemon is not None and self.daemon.link.is_up
        others = sorted(set(self.core.book.get(job["contract_id"]).parties) - {self.core.me})
        return {"id": job["id"], "destroyed": scope, "ordered": others, "told": is_told}

    @verb("subject.unlink")
    def unlink_subject(self, args: Plain) -> Plain:
        """Erase the salts of one enterprise: no entry of this log can be linked with it any more. Logged."""
        subject, by = str(argument(args, "subject")), officer(args)
        scope = f"the salts of one subject, in {self.core.home.salts.name}"
        with locked(self.daemon):
            to_do = Deletion(SALT_METHOD, scope, TO_FOLLOW)
            self.core.record("destruction.begun", on_behalf_of=by, deletion=to_do)
            erased = self._erase_salts(subject, by, scope)
            gone = Deletion(SALT_METHOD, f"{scope}: {erased}", "no salt fits the subject any more")
            self.core.record("salt.destroyed", on_behalf_of=by, deletion=gone)
        return {"erased": erased}

    def _to_destroy(self, args: Plain) -> Plain:
        """The job whose checkpoint, or whose model, is to go."""
        job = find_maker(self.core, args)
        if not checkpoint_facts(self.core, Holdings(self.core), job):
            job, _ = find_model(self.core, args)
        return job

    def _destroyer(self) -> Destroyer:
        """The daemon's, which ends jobs first; while it is down no job runs."""
        return self.daemon.jobs.destroyer if self.daemon else Destroyer(self.core, lambda *_: None, list)

    def _destroyed(self, holdings: Holdings, job: Plain) -> str:
        """What was destroyed here. Raises StorageError if it is not yet."""
        done = holdings.destruction(job["id"])
        if done is None or done["state"] != "destroyed":
            raise StorageError(
                "the model could not be destroyed yet; nobody can use it any more",
                party=self.core.me,
                step="destroy",
                remedy="see the node's log for the reason; it is tried again by itself",
            )
        return str(done["scope"])

    def _erase_salts(self, subject: str, by: str, scope: str) -> int:
        """How many salts were erased. Raises StorageError, once it is logged that some are left."""
        try:
            return self.core.salts.erase(subject)
        except StorageError as error:
            left = Deletion(SALT_METHOD, scope, "something is left")
            self.core.record(
                "salt.destroyed", outcome="failed", on_behalf_of=by, reason=error.message, deletion=left
            )
            raise
