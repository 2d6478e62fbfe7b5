"""How a node is, and by which keys it is known."""

from __future__ import annotations

from typing import Any

from saferoom.data import catalogue
from saferoom.identity.register import Register
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Daemon, Noun, Plain, not_up, verb


class Keys(Noun[Daemon]):
    """The node's public keys."""

    @verb("keys.show")
    def show(self, _args: Plain) -> Plain:
        """Public keys, their fingerprint, and the key that checks this node's log."""
        keys = self.core.keys.public()
        return {**keys.to_json(), "fingerprint": keys.fingerprint(), "log_key": self.core.log_verifier_key()}


class StatusAtParty(Noun[Party]):
    """How a party's node is."""

    @verb("status")
    def status(self, _args: Plain) -> Plain:
        """Whether the node is up and connected, its data sets, its jobs, its log."""
        return {
            "node": self.core.me,
            "role": "party",
            "up": self.daemon is not None,
            **_line(self.daemon),
            "datasets": catalogue.registered_names(self.core.home.data),
            "jobs_under_way": len(self.daemon.jobs.under_way()) if self.daemon else 0,
            **_log(self.core, self.daemon),
        }


class StatusAtCoordinator(Noun[Coordinator]):
    """How the coordinator is."""

    @verb("status")
    def status(self, _args: Plain) -> Plain:
        """Whether the coordinator is up, who is enrolled and who connected, its jobs, its log."""
        return {
            "node": self.core.me,
            "role": "coordinator",
            "up": self.daemon is not None,
            "parties": self._parties(),
            "jobs_under_way": len(self.daemon.jobs.runs.under_way()) if self.daemon else 0,
            **_log(self.core, self.daemon),
        }

    def _parties(self) -> list[Plain]:
        connected = self.daemon.connected() if self.daemon else set()
        return [
            {
                "party": party,
                "organisation": node.organisation,
                "connected": party in connected,
                "revoked": node.revoked,
            }
            for party, node in Register.load(self.core.home.register).nodes.items()
        ]


def _line(daemon: Party | None) -> dict[str, Any]:
    """How a party's line to the coordinator is."""
    if daemon is None:
        down = not_up("party")
        return {"connected": False, "link": down.message, "remedy": down.remedy}
    return {"connected": daemon.link.is_up, "link": daemon.link.reason, "remedy": daemon.link.remedy}


def _log(core: Core, daemon: Party | Coordinator | None) -> dict[str, Any]:
    """How the node's log is, who cosigns it, and what the node saw as a witness of others'."""
    return {
        "log_size": core.log.size,
        "log_stopped": core.log.is_stopped,
        "witnesses": daemon.cosigning.words() if daemon else [],
        "alarms": core.alarms(),
    }
