"""A successor log, when the newest entries of a log are lost: agreed on by all nodes, on paper.

    propose   at the node that lost entries: what its log holds, what a witness was found to hold, why
    sign      at every other node of its contracts: what it holds as a witness; it is that no more
    open      at the node: old files are kept beside, the new log begins with log.recovered

    recovery.json   {"body": {…}, "signatures": {node: {"held": note, "signature": base64}}}

The old log stays as evidence. The new one has another origin, `saferoom/<node>/2`, so neither can pass for
the other, and its first entry names the heads of the old one as every node knew them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saferoom.audit.entries.events import Anchor
from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.log.opening import ahead_path
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.errors import ConfigError, RefusedError, SafeRoomError, VerificationError
from saferoom.files.private import write_private
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys
from saferoom.identity.signing import (
    SIGNATURE_BYTES,
    decode_base64,
    encode_base64,
    sign_statement,
    verify_statement,
)
from saferoom.jobs.home import Home
from saferoom.node.witnessing.quorums import log_verifier, node_of, origin_of

DOMAIN = "saferoom/log-recovery/v1"
_STEP = "successor log"
_BODY = {"node", "origin", "successor", "local", "ahead", "reason"}


@dataclass(frozen=True, slots=True)
class Recovery:
    """The paper. `signatures`: by node, the old log's checkpoint it holds, or nothing, and its signature."""

    body: Mapping[str, str]
    signatures: Mapping[str, tuple[str, bytes]]

    @property
    def node(self) -> str:
        return self.body["node"]

    @classmethod
    def parse(cls, text: str) -> Recovery:
        """Read the paper; nothing is verified but its form. Raises VerificationError."""
        try:
            paper = json.loads(text)
            body = {str(name): value for name, value in paper["body"].items()}
            signed = {
                str(node): (
                    str(its["held"]),
                    decode_base64(str(its["signature"]), SIGNATURE_BYTES, "signature"),
                )
                for node, its in paper["signatures"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise VerificationError("this is no paper on a successor log", step=_STEP) from error
        if set(body) != _BODY or not all(isinstance(value, str) for value in body.values()):
            raise VerificationError("this is no paper on a successor log", step=_STEP)
        numbers = [_number(body[name]) for name in ("origin", "successor")]
        if {node_of(body["origin"]), node_of(body["successor"])} != {body["node"]} or numbers[1] <= numbers[
            0
        ]:
            raise VerificationError("the paper names another node's log", step=_STEP)
        return cls(body, signed)

    def text(self) -> str:
        signed = {
            node: {"held": held, "signature": encode_base64(signature)}
            for node, (held, signature) in self.signatures.items()
        }
        return json.dumps({"body": self.body, "signatures": signed}, indent=1, ensure_ascii=False) + "\n"

    def signed(self, keys: NodeKeys, held: str = "") -> Recovery:
        """With one signature more. `held`: the old log's checkpoint that the signer holds as a witness."""
        signature = sign_statement(keys.signing, DOMAIN, self._statement(keys.node_id, held))
        return Recovery(self.body, {**self.signatures, keys.node_id: (held, signature)})

    def check(self, keys: Mapping[str, PublicKeys], needed: set[str]) -> None:
        """Raise VerificationError for a bad signature, RefusedError if one of `needed` has not signed."""
        missing = sorted(needed - set(self.signatures))
        if missing:
            raise RefusedError(
                f"the paper is not signed by {', '.join(missing)}",
                step=_STEP,
                remedy="have it signed there with `saferoom audit successor sign`",
            )
        for node in needed:
            held, signature = self.signatures[node]
            if node not in keys:
                raise VerificationError("this node's keys are not known here", party=node, step=_STEP)
            verify_statement(keys[node].signing, DOMAIN, self._statement(node, held), signature, party=node)

    def anchors(self, log_key: bytes) -> list[Anchor]:
        """The old log's heads: as found here, and as each signer holds it. Raises VerificationError."""
        old = self.body["origin"]
        notes = [self.body["local"], self.body["ahead"], *(held for held, _ in self.signatures.values())]
        heads = [open_checkpoint(note, [log_verifier(old, log_key)]) for note in notes if note]
        distinct = sorted({(head.size, head.root.hex()) for head in heads})
        return [Anchor(old, size, root) for size, root in distinct]

    def _statement(self, node: str, held: str) -> dict[str, Any]:
        return {"recovery": dict(self.body), "node": node, "held": held}


def present_origin(home: Home, node: str) -> str:
    """The origin of the node's log: of its newest successor, if it has one. Raises VerificationError."""
    if not home.recovery.exists():
        return origin_of(node)
    return Recovery.parse(_read(home.recovery)).body["successor"]


def propose(home: Home, keys: NodeKeys, reason: str) -> Recovery:
    """The paper of the node that lost entries, signed by it. Does not need the log to open.

    Raises ConfigError if another process has the paper's successor already.
    """
    old = present_origin(home, keys.node_id)
    ahead = ahead_path(home.log)
    body = {
        "node": keys.node_id,
        "origin": old,
        "successor": f"{origin_of(keys.node_id)}/{_number(old) + 1}",
        "local": _local_head(home.log),
        "ahead": _read(ahead) if ahead.exists() else "",
        "reason": reason,
    }
    return Recovery(body, {}).signed(keys)


def put_in_place(home: Home, recovery: Recovery) -> None:
    """Make the paper's log the node's own. May be repeated after a crash.

    The old files are kept as `log-<number>.db…`. Raises ConfigError.
    """
    write_private(home.recovery, recovery.text().encode(), replace=True)
    old = home.log.with_name(f"log-{_number(recovery.body['origin'])}.db")
    for suffix in ("", "-wal", "-shm", ".ahead", ".lock"):
        source, target = (path.with_name(path.name + suffix) for path in (home.log, old))
        if source.exists() and not target.exists():
            source.rename(target)


def _local_head(log: Path) -> str:
    """The newest signed checkpoint of a log that may be damaged; empty if there is none to be read."""
    try:
        reader = SqliteReader(log)
        try:
            note = reader.head().checkpoint
            Checkpoint.parse(note.partition("\n\n")[0] + "\n")
        finally:
            reader.close()
    except SafeRoomError:
        return ""
    return note


def _number(origin: str) -> int:
    last = origin.rpartition("/")[2]
    return int(last) if last.isdecimal() else 1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}", step=_STEP, remedy="check the path") from error
