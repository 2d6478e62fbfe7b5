"""Whom an auditor relies on: `--key`, `--witness`, `--quorum`, `--contract`, never the log itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saferoom.cli.reconcile_command import load_contracts
from saferoom.errors import ConfigError

if TYPE_CHECKING:
    from saferoom.audit.witness.quorum import Quorum
    from saferoom.contracts.contract import Contract

KeyOption = Annotated[
    list[str] | None, typer.Option("--key", help="A verifier key that you got from the log's owner.")
]
ContractOption = Annotated[
    Path | None, typer.Option("--contract", help="A contract: its keys and its terms on witnesses count.")
]
WitnessOption = Annotated[
    list[str] | None, typer.Option("--witness", help="The verifier key of a witness you trust.")
]
QuorumOption = Annotated[
    int,
    typer.Option("--quorum", help="So many of these witnesses are needed.", min=1, show_default=False),
]


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """Given keys and witnesses come before those of the contract."""

    keys: tuple[str, ...]
    witnessed_by: Quorum | None
    contract: Contract | None

    @classmethod
    def of(
        cls, keys: list[str] | None, witnesses: list[str] | None, needed: int, contract: Path | None
    ) -> TrustOptions:
        """From the options. Raises: ConfigError, UsageError."""
        from saferoom.audit.witness.quorum import Quorum

        quorum = Quorum.of_keys(needed, witnesses) if witnesses else None
        agreed = next(iter(load_contracts([contract]).values())) if contract else None
        return cls(tuple(keys or ()), quorum, agreed)

    def for_log(self, origin: str) -> tuple[tuple[str, ...], Quorum | None]:
        """Verifier keys and quorum for the log `origin`. Raises: ConfigError if the contract has none."""
        from saferoom.node.witnessing.quorums import log_verifier, node_of, quorum_of

        if self.contract is None:
            return self.keys, self.witnessed_by
        pinned = self.contract.pinned_keys().get(node_of(origin))
        if pinned is None:
            raise ConfigError(
                "the contract names no node whose log this is",
                remedy="give the contract under which it was kept",
            )
        keys = self.keys or (str(log_verifier(origin, pinned.log)),)
        return keys, self.witnessed_by or quorum_of(self.contract, pinned.node_id)

    def for_path(self, log: Path) -> tuple[tuple[str, ...], Quorum | None]:
        """The same for the log in a database or an exported folder."""
        from saferoom.audit.evidence.verify import origin_of_log

        return self.for_log(origin_of_log(log) if self.contract else "")
