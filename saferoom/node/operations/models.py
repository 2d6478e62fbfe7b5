"""What can be asked about models: each party sees and exports its own part."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from saferoom.audit.entries.events import ModelRef
from saferoom.data import catalogue
from saferoom.errors import UsageError
from saferoom.node import state as tables
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Noun, Plain, argument, verb
from saferoom.node.operations.find import find_model
from saferoom.node.operations.model_card import model_card
from saferoom.tasks.models.stability import feature_stability
from saferoom.tasks.registry import load_model, work_of


class Models(Noun[Party]):
    """The models that jobs left at this party. Works with and without a daemon."""

    @verb("model.list")
    def list_all(self, _args: Plain) -> Plain:
        """All models this party has a part of, and where they lie."""
        rows = self.core.state.rows(tables.jobs, tables.jobs.c.state == "finished")
        return {"models": [self._line(row) for row in rows if self._left_model(row)]}

    @verb("model.show")
    def show(self, args: Plain) -> Plain:
        """This party's own part of a model, and where the other files of the job lie."""
        row, folder = find_model(self.core, args)
        model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        files = sorted(path.name for path in folder.iterdir())
        return {"id": row["id"], "model": model, "files": files, **_own_tables(model["kind"], folder)}

    @verb("model.stability")
    def stability(self, args: Plain) -> Plain:
        """How far own binned features have moved from training to the rows of a data set of today."""
        row, folder = find_model(self.core, args)
        contract = self.core.book.get(row["contract_id"])
        name = str(args.get("dataset") or contract.parties[self.core.me].dataset)
        return feature_stability(load_model(folder), catalogue.recall(name, self.core.home.data))

    @verb("model.card")
    def card(self, args: Plain) -> Plain:
        """What a model was made of and for, as this party may see it."""
        return model_card(self.core, *find_model(self.core, args))

    @verb("model.export")
    def export(self, args: Plain) -> Plain:
        """Copy what a job left here into a new folder; logged before it is done."""
        row, folder = find_model(self.core, args)
        target = Path(argument(args, "out"))
        if target.exists():
            raise UsageError(f"{target} is there already", step="export", remedy="name a new folder")
        contract = self.core.book.get(row["contract_id"])
        self.core.record("model.exported", contract=contract, model=ModelRef(row["id"]))
        shutil.copytree(folder, target)
        return {"id": row["id"], "folder": str(target)}

    def _left_model(self, job: Plain) -> bool:
        return (self.core.home.model(job["id"]) / "model.json").exists()

    def _line(self, job: Plain) -> Plain:
        return {
            "id": job["id"],
            "contract": job["contract_id"],
            "made": datetime.fromtimestamp(job["ended"], UTC).isoformat(timespec="seconds"),
            "folder": str(self.core.home.model(job["id"])),
        }


def _own_tables(kind: str, folder: Path) -> Plain:
    """The tables that this party keeps besides, of a scorecard its bins and their points."""
    files = {name: folder / f"{name}.json" for name in work_of(kind).tables}
    found = {name: file for name, file in files.items() if file.exists()}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in found.items()}
