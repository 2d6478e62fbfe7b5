"""What touches the node's log as a whole: who reads it, and which log follows another's."""

from __future__ import annotations

from saferoom.node.operations.base import Daemon, Noun, Plain, argument, verb


class Audit(Noun[Daemon]):
    """The node's log, and the logs it witnesses."""

    @verb("audit.read")
    def read(self, args: Plain) -> Plain:
        """Somebody is about to read this node's log: that is logged first."""
        self.core.record("auditor.read", reason=str(argument(args, "what")))
        return {"log_size": self.core.log.size}

    @verb("successor.sign")
    def sign_successor(self, args: Plain) -> Plain:
        """Agree to another node's successor log; gives the paper with this node's signature."""
        signed = self.core.agree_to_successor(str(argument(args, "paper")))
        return {"node": signed.node, "successor": signed.body["successor"], "paper": signed.text()}
