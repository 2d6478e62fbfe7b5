"""The whole error tree.

    SafeRoomError
    ├── UsageError            a call or command that makes no sense                      exit 2
    │   └── ShapeError        arrays whose shapes or scales do not fit
    ├── ConfigError           a settings file, key file or data set that is wrong        exit 2
    ├── PeerError             another node is gone, late, or does not follow protocol    exit 3
    │   ├── PeerTimeout
    │   ├── StepMismatchError the two ends are at different steps
    │   ├── PeerFailedError   the job failed there: the peer's own error says why
    │   └── CancelledError    somebody cancelled the job
    ├── RefusedError          a contract or a policy says no                             exit 4
    ├── VerificationError     a signature, a proof, a code or a check failed             exit 1
    ├── StorageError          the log or the state cannot be written or read             exit 1
    └── ProtocolError         a safety rule of the arithmetic would be broken            exit 1
        └── MaskReuseError    a one-time mask was about to be spent twice

A message says what was expected, what came, from which party and at which step; never a value from
the data. `party`, `step` and `remedy` are kept apart from the text so that every node, the command
line and the log can show them.
"""

from __future__ import annotations


class SafeRoomError(Exception):
    """Base of everything SafeRoom raises on purpose."""

    exit_code = 1

    def __init__(self, message: str, *, party: str = "", step: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.party = party
        self.step = step
        self.remedy = remedy

    def __str__(self) -> str:
        where = ", ".join(
            part
            for part in (
                f"party {self.party}" if self.party else "",
                f"step {self.step}" if self.step else "",
            )
            if part
        )
        text = f"{self.message} ({where})" if where else self.message
        return f"{text}. Remedy: {self.remedy}" if self.remedy else text


class UsageError(SafeRoomError):
    exit_code = 2


class ShapeError(UsageError):
    """Arrays whose shapes or scales do not fit together."""


class ConfigError(SafeRoomError):
    exit_code = 2


class PeerError(SafeRoomError):
    exit_code = 3


class PeerTimeout(PeerError):  # noqa: N818 - the field's word
    """A peer said nothing within the deadline."""


class StepMismatchError(PeerError):
    """The two ends of a conversation are at different steps."""


class PeerFailedError(PeerError):
    """The job has failed at a peer, for a reason that only its own node knows: hearsay."""


class CancelledError(PeerError):
    """A person or a node cancelled the job."""


class RefusedError(SafeRoomError):
    exit_code = 4


class VerificationError(SafeRoomError):
    exit_code = 1


class StorageError(SafeRoomError):
    exit_code = 1


class ProtocolError(SafeRoomError):
    exit_code = 1


class MaskReuseError(ProtocolError):
    """A one-time mask was about to be spent a second time."""


def error_by_name(name: str) -> type[SafeRoomError]:
    """The class of that name in the tree; `SafeRoomError` if there is none (a newer peer's class)."""
    pending: list[type[SafeRoomError]] = [SafeRoomError]
    while pending:
        cls = pending.pop()
        if cls.__name__ == name:
            return cls
        pending.extend(cls.__subclasses__())
    return SafeRoomError
