"""The YAML file of a lab room: who holds which file, what is trained, on which network."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from saferoom.errors import ConfigError
from saferoom.files.yaml_text import read_yaml
from saferoom.kinds.fields import listed
from saferoom.kinds.grading import GradeRule
from saferoom.kinds.registry import KindName, kind_of
from saferoom.kinds.trust import Trust
from saferoom.node.settings import Emulation


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoomParty(_Strict):
    """One party's data set, with the keys of a `dataset.yaml`, which says what they mean.

    Without `columns`, all columns but id, label, split and weight are features. A column is a name, or a
    description: name, type, special codes. So is the label: a name, or the column and the event in it.
    """

    source: str | dict[str, Any]
    id: str
    id_kind: Literal["uscc", "opaque"] = "uscc"
    label: str | dict[str, Any] | None = None
    split: str | None = None
    weight: str | None = None
    columns: list[str | dict[str, Any]] | None = None
    as_of: date | None = None
    time_zone: str | None = None
    description: str | None = None
    consent: dict[str, Any] | None = None

    @property
    def label_column(self) -> str | None:
        return str(self.label.get("column")) if isinstance(self.label, dict) else self.label


class RoomTask(_Strict):
    """What is trained, with which parameters; the contract checks them."""

    kind: KindName
    params: dict[str, Any] = {}


class Room(_Strict):
    """A lab room. Paths in it are relative to `folder`, the folder of the file.

    `release`: what the label holder learns. `grading`: how, with grades alone; the standard scheme if absent.
    """

    room: Annotated[str, Field(min_length=1, max_length=60)]
    label_holder: str
    parties: Annotated[dict[str, RoomParty], Field(min_length=2, max_length=8)]
    task: RoomTask
    trust: Trust = "assisted"
    network: Emulation = Emulation()
    seed: int = 0
    minimum_rows: int = 50
    release: Literal["grade_only", "points", "scores"] = "scores"
    grading: GradeRule | None = None
    default_definition: str | None = None
    minimum_bin_rows: int | None = None
    minimum_bin_events: int | None = None
    folder: Path = Path()

    @model_validator(mode="after")
    def _kind_has_the_release(self) -> Room:
        releases = kind_of(self.task.kind).releases
        if releases and self.release not in releases:
            raise ValueError(
                f"a {self.task.kind} task does not release {self.release} (yet); use {listed(releases)}"
            )
        return self

    @model_validator(mode="after")
    def _label_holder_has_the_label(self) -> Room:
        if self.label_holder not in self.parties:
            raise ValueError(f"label_holder {self.label_holder!r} is not among the parties")
        holders = [party for party, part in self.parties.items() if part.label]
        if holders != [self.label_holder]:
            raise ValueError("exactly the label holder names a label column")
        if any(part.weight for party, part in self.parties.items() if party != self.label_holder):
            raise ValueError("only the label holder names a weight column")
        return self


def load_room(path: Path) -> Room:
    """Read a room file. Raises ConfigError naming the key that is wrong."""
    content = read_yaml(path, "room file", remedy="compare it with configs/rooms/")
    try:
        return Room.model_validate({**content, "folder": path.parent.absolute()})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "room"
        raise ConfigError(
            f"{path.name}: {where}: {first['msg']}", remedy="compare it with configs/rooms/"
        ) from None
