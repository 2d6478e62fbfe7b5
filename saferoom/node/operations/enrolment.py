"""Who is in the room: a party's request, the coordinator's welcome, and the end of it."""

from __future__ import annotations

from saferoom.identity.register import Register
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Noun, Plain, argument, verb
from saferoom.node.setup import enrol, renew_request


class EnrolmentAtParty(Noun[Party]):
    """The party's own papers."""

    @verb("party.renew")
    def renew(self, _args: Plain) -> Plain:
        """Write a new enrolment request for the keys that are there."""
        renew_request(self.core, self.core.now())
        return {"request": str(self.core.home.request), "fingerprint": self.core.keys.public().fingerprint()}


class EnrolmentAtCoordinator(Noun[Coordinator]):
    """The coordinator's register. Works with and without a daemon."""

    @verb("party.enrol")
    def enrol(self, args: Plain) -> Plain:
        """Let a party in by its request; the answer holds its welcome."""
        text, word = str(argument(args, "request")), args.get("passphrase")
        expect = str(args.get("fingerprint", "")) or None
        request, welcome = enrol(self.core, text, self.core.now(), word, expect)
        return {
            "party": request.keys.node_id,
            "organisation": request.organisation,
            "fingerprint": request.keys.fingerprint(),
            "welcome": welcome,
        }

    @verb("party.remove")
    def remove(self, args: Plain) -> Plain:
        """Put a party out; a running coordinator ends its line within a moment. Logged first."""
        party, reason = str(argument(args, "party")), str(argument(args, "reason"))
        register = Register.load(self.core.home.register).without(party, self.core.now())
        self.core.record("party.removed", reason=f"{party}: {reason}")
        register.save(self.core.home.register)
        still_named = [c.id for c in self.core.book.open_contracts() if party in c.parties]
        return {"removed": party, "open_contracts": still_named}
