"""What a daemon tells a job process: everything it needs, through the pipe, and nothing in a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from saferoom.errors import PeerError
from saferoom.kinds.score_step import MAX_BITS_SHOWN


class Service(IntEnum):
    """Kinds of service message on the pipe between a daemon and a job process (0-15 are the link's)."""

    SPEC = 16
    ALIVE = 17
    ASK_DISCLOSE = 18
    ASK_RECORD = 19
    ANSWER = 20
    PROGRESS = 21
    FINISHED = 22
    FAILED = 23
    ASK_CUT = 24


def read_params(text: str) -> dict[str, Any]:
    """A job's parameters as they travel: a JSON object. Raises PeerError for anything else."""
    try:
        params = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PeerError("expected a job's parameters, and got no JSON", step="offer") from error
    if not isinstance(params, dict):
        raise PeerError(
            f"expected a job's parameters by name, and got a {type(params).__name__}", step="offer"
        )
    return params


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job at one endpoint. `keys` are (send, receive) per peer, hex; they live in memory only.

    `dataset_version`: of the party's data set as it was when the offer was checked; "" where there is none.
    `max_bits_shown`, `max_share_shown`: the party's policy, on what scores show of its part of them.
    """

    job_id: str
    session: int
    me: str
    kind: str
    contract: dict[str, Any]
    params: dict[str, Any]
    keys: dict[str, tuple[str, str]] = field(repr=False)
    home: str = ""
    dataset_version: str = ""
    max_bits_shown: float = MAX_BITS_SHOWN
    max_share_shown: float = 1.0
    receive_timeout_s: float = 300.0
    progress_timeout_s: float | None = None
    local: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> JobSpec:
        plain = json.loads(raw)
        plain["keys"] = {peer: (send, receive) for peer, (send, receive) in plain["keys"].items()}
        return cls(**plain)
