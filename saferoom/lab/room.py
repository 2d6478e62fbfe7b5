"""The YAML file of a lab room: who holds which file, what is trained, on which network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from saferoom.errors import ConfigError
from saferoom.files.yaml_text import read_yaml
from saferoom.kinds.registry import KindName
from saferoom.kinds.trust import Trust
from saferoom.node.settings import Emulation


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoomParty(_Strict):
    """One party's file. Without `columns`, all columns but id, label, split and weight are features."""

    source: str | dict[str, Any]
    id: str
    id_kind: Literal["uscc", "opaque"] = "uscc"
    label: str | None = None
    split: str | None = None
    weight: str | None = None
    columns: list[str] | None = None
    consent: dict[str, Any] | None = None


class RoomTask(_Strict):
    """What is trained, with which parameters; the contract checks them."""

    kind: KindName
    params: dict[str, Any] = {}


class Room(_Strict):
    """A lab room. Paths in it are relative to `folder`, the folder of the file."""

    room: Annotated[str, Field(min_length=1, max_length=60)]
    label_holder: str
    parties: Annotated[dict[str, RoomParty], Field(min_length=2, max_length=8)]
    task: RoomTask
    trust: Trust = "assisted"
    network: Emulation = Emulation()
    seed: int = 0
    minimum_rows: int = 50
    folder: Path = Path()

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
