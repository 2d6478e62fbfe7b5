"""What went wrong, in a form that crosses processes and nodes and comes out as the same error."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from saferoom.errors import PeerFailedError, SafeRoomError, error_by_name
from saferoom.link.v1 import control_pb2 as wire

UNKNOWN_STEP = "run"
HEARSAY_S = 5.0  # how long the coordinator waits for a cause behind hearsay; parties wait twice as long
USUAL_REMEDY = "see `saferoom job show` at the party that is named, then start the job again"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of our tree as plain text fields. Never holds a data value, because errors never do."""

    error: str
    message: str
    party: str = ""
    step: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, error: BaseException, *, party: str, step: str = "") -> Problem:
        """From an exception. A foreign one keeps its type's name only: its text may hold data.

        What the error leaves open is filled in, so that every problem names a party, a step and a remedy.
        """
        if isinstance(error, SafeRoomError):
            return cls(
                type(error).__name__,
                error.message,
                error.party or party,
                error.step or step or UNKNOWN_STEP,
                error.remedy or USUAL_REMEDY,
            )
        return cls(
            "SafeRoomError",
            f"an unexpected {type(error).__name__}",
            party,
            step or UNKNOWN_STEP,
            "look into the node's debug log; this is a defect worth reporting",
        )

    def at(self, step: str) -> Problem:
        """The same, with `step` where none is known."""
        return replace(self, step=step) if step and self.step == UNKNOWN_STEP else self

    @property
    def is_hearsay(self) -> bool:
        """Says no more than that another node failed, which will say why itself."""
        return self.error == PeerFailedError.__name__

    @classmethod
    def from_wire(cls, message: wire.Problem) -> Problem:
        return cls(message.error, message.message, message.party, message.step, message.remedy)

    def to_wire(self) -> wire.Problem:
        return wire.Problem(**asdict(self))

    def to_dict(self) -> dict[str, str]:
        return asdict(self)

    def to_error(self) -> SafeRoomError:
        return error_by_name(self.error)(self.message, party=self.party, step=self.step, remedy=self.remedy)

    def __str__(self) -> str:
        return str(self.to_error())
