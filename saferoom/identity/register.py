"""The coordinator's list of enrolled nodes: who may connect, with which certificate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from saferoom.errors import ConfigError, RefusedError, VerificationError
from saferoom.files.private import read_private, write_private
from saferoom.identity.certificates import check_aware, parse_certificate
from saferoom.identity.public import PublicKeys

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One node: organisation, public keys, certificate (PEM), and when it was put out ("": it was not)."""

    organisation: str
    keys: PublicKeys
    certificate_pem: str
    revoked: str = ""

    @property
    def serial(self) -> int:
        """The certificate's serial number."""
        return parse_certificate(self.certificate_pem).serial_number


@dataclass(frozen=True, slots=True)
class Register:
    """All nodes ever enrolled, by id. Immutable: `with_node` and `without` give new ones."""

    nodes: Mapping[str, Enrolled] = field(default_factory=dict)

    def with_node(self, node: Enrolled) -> Register:
        """Add a node, or give a known one a new certificate.

        Raises RefusedError if the id is taken by a node with other keys, or was put out.
        """
        known = self.nodes.get(node.keys.node_id)
        if known is not None and known.revoked:
            raise RefusedError(
                "this node was put out of the room", party=node.keys.node_id, remedy="enrol under a new id"
            )
        if known is not None and known.keys != node.keys:
            raise RefusedError(
                "this id belongs to a node with other keys",
                party=node.keys.node_id,
                remedy="choose another id, or put the old node out first",
            )
        return Register({**self.nodes, node.keys.node_id: node})

    def without(self, node_id: str, now: datetime) -> Register:
        """Put a node out: its certificate no longer counts, and its id is not given again."""
        if node_id not in self.nodes:
            raise ConfigError("no node of this id is enrolled", party=node_id)
        revoked = replace(self.nodes[node_id], revoked=check_aware(now).isoformat(timespec="seconds"))
        return Register({**self.nodes, node_id: revoked})

    def check_admitted(self, node_id: str, serial: int) -> Enrolled:
        """The node that may connect with the certificate of this serial number. Raises RefusedError."""
        node = self.nodes.get(node_id)
        if node is None or node.revoked or node.serial != serial:
            raise RefusedError(
                "this node, or this certificate of it, is not admitted",
                party=node_id,
                remedy="enrol it; use the certificate of its latest enrolment",
            )
        return node

    def public_keys(self) -> dict[str, PublicKeys]:
        """Keys of all nodes that are not put out, for drafting contracts."""
        return {node_id: node.keys for node_id, node in self.nodes.items() if not node.revoked}

    def save(self, path: Path) -> None:
        """Write to `path` (0600), replacing it as a whole."""
        nodes = [
            {
                "organisation": node.organisation,
                "keys": node.keys.to_json(),
                "certificate": node.certificate_pem,
                "revoked": node.revoked,
            }
            for node in self.nodes.values()
        ]
        text = json.dumps({"version": _VERSION, "nodes": nodes}, indent=1, ensure_ascii=False)
        write_private(path, text.encode("utf-8"), replace=True)

    @classmethod
    def load(cls, path: Path) -> Register:
        """Read from `path`; empty if there is no such file yet. Raises ConfigError."""
        if not path.exists():
            return cls()
        try:
            document = json.loads(read_private(path))
            if document["version"] != _VERSION:
                raise ConfigError(f"{path} is of another version", remedy="use the SafeRoom that wrote it")
            nodes = [_enrolled(entry) for entry in document["nodes"]]
        except (ValueError, KeyError, TypeError, VerificationError) as exc:
            raise ConfigError(f"{path} is damaged", remedy="restore it from a backup") from exc
        return cls({node.keys.node_id: node for node in nodes})


def _enrolled(entry: Mapping[str, Any]) -> Enrolled:
    return Enrolled(
        organisation=str(entry["organisation"]),
        keys=PublicKeys.from_json(entry["keys"]),
        certificate_pem=str(entry["certificate"]),
        revoked=str(entry["revoked"]),
    )
