"""Opening a successor log at the node whose log was lost, which is down meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from saferoom.audit.log.sqlite import check_no_writer
from saferoom.errors import RefusedError
from saferoom.identity.enrolment import load_welcome
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys
from saferoom.identity.register import Register
from saferoom.ids import COORDINATOR
from saferoom.jobs.home import Home
from saferoom.node.acquaintances import Acquaintances
from saferoom.node.book import ContractBook
from saferoom.node.core import Core
from saferoom.node.settings import load_settings
from saferoom.node.state import State
from saferoom.node.witnessing.successor import Recovery, present_origin, put_in_place


def open_successor(home: Home, text: str, passphrase: str | None) -> dict[str, Any]:
    """Begin a successor log with a paper that every other node signed. Raises RefusedError if one has not.

    Raises StorageError while another process has the log.
    """
    recovery, keys = Recovery.parse(text), NodeKeys.load(home.keys, passphrase)
    known = _known_offline(home, keys)
    if recovery.node != keys.node_id or present_origin(home, recovery.node) not in recovery.body.values():
        raise RefusedError("the paper is not on this node's newest log", step="successor log")
    recovery.check(known, set(known))
    check_no_writer(home.log)
    put_in_place(home, recovery)
    with Core.opened(home, passphrase) as core:
        home.log_key.write_text(core.log_verifier_key() + "\n", encoding="ascii")
        return {"origin": core.log.origin, "verifier_key": core.log_verifier_key(), "entries": core.log.size}


def _known_offline(home: Home, keys: NodeKeys) -> dict[str, PublicKeys]:
    """Public keys of this node and of all its acquaintances, without opening its log."""
    state = State.of(home)
    try:
        if load_settings(home.settings).role == "coordinator":
            others = Register.load(home.register).public_keys()
        else:
            others = {COORDINATOR: load_welcome(home.welcome, keys, datetime.now(UTC)).coordinator}
        found = Acquaintances(keys.node_id, ContractBook(state), lambda: others).public_keys()
    finally:
        state.close()
    return {**found, keys.node_id: keys.public()}
