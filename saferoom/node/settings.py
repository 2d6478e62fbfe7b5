"""node.yaml: who this node is, where the coordinator is, and how patient it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from saferoom.audit.witness.feeder import Pace
from saferoom.data.zone import DEFAULT_ZONE, known_zone
from saferoom.errors import ConfigError
from saferoom.files.private import write_private
from saferoom.files.yaml_text import read_yaml, yaml_text
from saferoom.link.settings import LinkSettings


class Patience(BaseModel):
    """Deadlines in seconds. Every failure must be known at every node within 30 s.

    A job waits `receive_s` for a peer of which it hears no sign of life. One that is alive and at work is
    waited for as long as it takes, or for `progress_s`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    offer_s: Annotated[float, Field(gt=0)] = 15.0
    heartbeat_s: Annotated[float, Field(gt=0)] = 3.0
    dead_after_s: Annotated[float, Field(gt=0)] = 10.0
    peer_gone_s: Annotated[float, Field(gt=0)] = 12.0
    coordinator_gone_s: Annotated[float, Field(gt=0)] = 15.0
    job_silent_s: Annotated[float, Field(gt=0)] = 20.0
    receive_s: Annotated[float, Field(gt=0)] = 300.0
    progress_s: Annotated[float, Field(gt=0)] | None = None
    sweep_s: Annotated[float, Field(gt=0)] = 60.0


def link_settings(patience: Patience) -> LinkSettings:
    """The link's part of a node's patience."""
    return LinkSettings(heartbeat_s=patience.heartbeat_s, dead_after_s=patience.dead_after_s)


class OutsideWitness(BaseModel):
    """A witness that is no node of the room: its submission prefix (http or https) and its verifier key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=300)]
    key: Annotated[str, Field(max_length=300)]


class WitnessingSettings(BaseModel):
    """How often this node has its log cosigned: seconds after a change, and without one; by whom besides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changed_s: Annotated[float, Field(gt=0)] = 5.0
    idle_s: Annotated[float, Field(gt=0)] = 60.0
    outside: tuple[OutsideWitness, ...] = ()

    def pace(self) -> Pace:
        return Pace(self.changed_s, self.idle_s)


class Emulation(BaseModel):
    """A slower network than there is, for measuring."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    mbit_per_s: Annotated[float, Field(gt=0)] | None = None


class NodeSettings(BaseModel):
    """What node.yaml may say; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["party", "coordinator"]
    node_id: str
    organisation: str
    listen: str = ""
    public_address: str = ""
    time_zone: Annotated[str, AfterValidator(known_zone)] = DEFAULT_ZONE
    patience: Patience = Patience()
    network: Emulation = Emulation()
    witnessing: WitnessingSettings = WitnessingSettings()


def load_settings(path: Path) -> NodeSettings:
    """Read and check node.yaml. Raises ConfigError naming the key."""
    content = read_yaml(path, "node's settings", remedy=f"edit {path}; parties/ has examples")
    try:
        return NodeSettings.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path.name}: {where}: {first['msg']}", remedy=f"edit {path}") from error


def save_settings(path: Path, settings: NodeSettings) -> None:
    """Write node.yaml, without what is as usual. Raises StorageError."""
    write_private(path, yaml_text(settings.model_dump(exclude_defaults=True)), replace=True)
