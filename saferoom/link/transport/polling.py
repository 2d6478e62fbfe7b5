"""gRPC, told to let the thread that waits for a message read it from the network itself.

By default a thread of gRPC's own reads and hands the message to the one that waits: two more switches
between threads for each message, at the relay and at each party.
"""

from __future__ import annotations

import os

_EXPERIMENTS = "-event_engine_listener,-event_engine_client"


def poll_in_waiting_threads() -> None:
    """Call once, before the first channel or server. The environment overrules.

    The settings are experimental: a gRPC without them says so in its log, and works as by default.
    """
    os.environ.setdefault("GRPC_EXPERIMENTS", _EXPERIMENTS)
