"""Whose log keys a node believes: pinned in contracts it approved, in its welcome, or in the register."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from saferoom.audit.formats.note import NoteVerifier
from saferoom.identity.public import PublicKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.node.book import ContractBook
from saferoom.node.witnessing.quorums import log_verifier, node_of

FRESH_S = 2.0
Found = Mapping[str, frozenset[PublicKeys]]


class Acquaintances:
    """Public keys of other nodes, by node id. Thread-safe; at most two seconds old.

    Every method raises StorageError, ConfigError.
    """

    def __init__(self, me: str, book: ContractBook, others: Callable[[], Mapping[str, PublicKeys]]) -> None:
        """`others`: keys known without a contract, from the welcome or the register."""
        self._me, self._book, self._others = me, book, others
        self._lock = threading.Lock()
        self._of_contract: dict[bytes, dict[str, PublicKeys]] = {}
        self._found: Found = {}
        self._looked = -FRESH_S

    def log_keys(self) -> Mapping[str, frozenset[bytes]]:
        """Log keys, Ed25519, 32 bytes each; mostly one a node."""
        return {node: frozenset(key.log for key in keys) for node, keys in self._known().items()}

    def public_keys(self) -> dict[str, PublicKeys]:
        """All public keys of each node; of one that is known under several, the first."""
        return {node: min(keys, key=lambda key: key.signing) for node, keys in self._known().items()}

    def verifiers(self, origin: str) -> list[NoteVerifier]:
        """The keys that may sign the log `origin`; none if it is no acquaintance's."""
        keys = self.log_keys().get(node_of(origin), frozenset())
        return [log_verifier(origin, key) for key in sorted(keys)]

    def _known(self) -> Found:
        with self._lock:
            if time.monotonic() - self._looked >= FRESH_S:
                self._found = self._look_up()
                self._looked = time.monotonic()
            return self._found

    def _look_up(self) -> Found:
        found: dict[str, set[PublicKeys]] = {}
        sources = [self._others()]
        for row in self._book.rows():
            approved = row["state"] == "active" or self._me in self._book.signatures(row["id"])
            if approved and self._me != COORDINATOR:
                sources.append(self._pinned(row["id"], row["hash"]))
        for keys in sources:
            for node, key in keys.items():
                found.setdefault(node, set()).add(key)
        return {node: frozenset(keys) for node, keys in found.items() if node not in (self._me, HELPER)}

    def _pinned(self, contract_id: str, digest: bytes) -> dict[str, PublicKeys]:
        if digest not in self._of_contract and (contract := self._book.find(contract_id)):
            self._of_contract[digest] = contract.pinned_keys()
        return self._of_contract.get(digest, {})
