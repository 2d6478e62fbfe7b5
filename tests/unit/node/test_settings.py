"""How patient a node is unless it is told otherwise."""

from __future__ import annotations

from saferoom.node.settings import Patience

LIMIT_S = 30.0


def test_every_failure_is_known_everywhere_within_the_limit() -> None:
    """A line that falls silent between two heartbeats is given up, and then what is behind it."""
    patience = Patience()
    silent_s = patience.heartbeat_s + patience.dead_after_s
    assert silent_s + patience.peer_gone_s <= LIMIT_S
    assert silent_s + patience.coordinator_gone_s <= LIMIT_S
    assert patience.job_silent_s + patience.heartbeat_s <= LIMIT_S
    assert patience.offer_s <= LIMIT_S
