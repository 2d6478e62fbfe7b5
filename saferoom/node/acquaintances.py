"""Whose log keys a node believes: pinned in contracts it approved, in its welcome, or in the register."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from saferoom.audit.note import NoteVerifier
from saferoom.ids import COORDINATOR, HELPER
from saferoom.node.book import ContractBook
from saferoom.node.quorums import log_verifier, node_of

FRESH_S = 2.0
Keys = Mapping[str, frozenset[bytes]]


class Acquaintances:
    """Log keys (Ed25519, 32 bytes) of other nodes, by node id. Thread-safe; at most two seconds old."""

    def __init__(self, me: str, book: ContractBook, others: Callable[[], Mapping[str, bytes]]) -> None:
        """`others`: keys known without a contract, from the welcome or the register."""
        self._me, self._book, self._others = me, book, others
        self._lock = threading.Lock()
        self._of_contract: dict[bytes, dict[str, bytes]] = {}
        self._keys: Keys = {}
        self._looked = -FRESH_S

    def log_keys(self) -> Keys:
        """Raises StorageError, ConfigError."""
        with self._lock:
            if time.monotonic() - self._looked >= FRESH_S:
                self._keys = self._look_up()
                self._looked = time.monotonic()
            return self._keys

    def verifiers(self, origin: str) -> list[NoteVerifier]:
        """The keys that may sign the log `origin`; none if it is no acquaintance's."""
        keys = self.log_keys().get(node_of(origin), frozenset())
        return [log_verifier(origin, key) for key in sorted(keys)]

    def _look_up(self) -> Keys:
        found: dict[str, set[bytes]] = {}
        sources = [self._others()]
        for row in self._book.rows():
            approved = row["state"] == "active" or self._me in self._book.signatures(row["id"])
            if approved and self._me != COORDINATOR:
                sources.append(self._pinned(row["id"], row["hash"]))
        for keys in sources:
            for node, key in keys.items():
                found.setdefault(node, set()).add(key)
        return {node: frozenset(keys) for node, keys in found.items() if node not in (self._me, HELPER)}

    def _pinned(self, contract_id: str, digest: bytes) -> dict[str, bytes]:
        if digest not in self._of_contract:
            pinned = self._book.get(contract_id).pinned_keys()
            self._of_contract[digest] = {node: keys.log for node, keys in pinned.items()}
        return self._of_contract[digest]
