"""What a data officer can ask about the party's data sets."""

from __future__ import annotations

from pathlib import Path

from saferoom.audit.entries.events import DataObject
from saferoom.data import catalogue
from saferoom.data.dataset import describe_file, source_of_file
from saferoom.data.proposal import propose
from saferoom.errors import StorageError, UsageError
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Noun, Plain, argument, verb


class Data(Noun[Party]):
    """The party's registered data sets. Works with and without a daemon."""

    @verb("data.add")
    def add(self, args: Plain) -> Plain:
        """Register a data set by its description file, or anew after its file changed."""
        file = Path(argument(args, "file"))
        if source_of_file(file) is not None:
            raise UsageError(
                f"{file.name} holds data, and what is registered is a description of them",
                remedy=f"run `saferoom data propose {file.name} > dataset.yaml`, correct it, and add that",
            )
        description = describe_file(file, party=self.core.me, zone=self.core.settings.time_zone)
        known = catalogue.registered_names(self.core.home.data)
        registration = catalogue.register(description, self.core.home.data, now=self.core.now())
        self._record("dataset.changed" if description.name in known else "dataset.registered", registration)
        return registration.model_dump(mode="json")

    @verb("data.propose")
    def propose(self, args: Plain) -> Plain:
        """A description for a file that nobody has described yet. Nothing is registered."""
        file = Path(argument(args, "file"))
        return {"yaml": propose(file, party=self.core.me, zone=self.core.settings.time_zone)}

    @verb("data.list")
    def list_all(self, _args: Plain) -> Plain:
        """All registered data sets."""
        found = catalogue.list_registered(self.core.home.data)
        return {"datasets": [registration.model_dump(mode="json") for registration in found]}

    @verb("data.profile")
    def profile(self, args: Plain) -> Plain:
        """What was found when a data set was registered; its source is not read."""
        return self._find(args).model_dump(mode="json")

    @verb("data.check")
    def check(self, args: Plain) -> Plain:
        """Whether a data set still is what was registered. Raises ConfigError if it is not."""
        registration = self._find(args)
        catalogue.check(registration)
        return registration.model_dump(mode="json")

    @verb("data.remove")
    def remove(self, args: Plain) -> Plain:
        """Forget a data set; its file stays where it is. Logged first."""
        name = argument(args, "dataset")
        try:
            registration = self._find(args)
        except StorageError:
            self.core.record("dataset.removed", object=DataObject.of(name))
        else:
            self._record("dataset.removed", registration)
        catalogue.forget(name, self.core.home.data)
        return {"removed": name}

    def _find(self, args: Plain) -> catalogue.Registration:
        return catalogue.recall(argument(args, "dataset"), self.core.home.data)

    def _record(self, type_: str, registration: catalogue.Registration) -> None:
        columns = tuple(column.name for column in registration.columns)
        rows, version = registration.counts.rows, registration.version
        data = DataObject.of(registration.name, rows=rows, version_hash=version, columns=columns)
        self.core.record(type_, object=data)
