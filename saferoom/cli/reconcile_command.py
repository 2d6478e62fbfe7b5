"""`saferoom audit reconcile`: both ends of every conversation, and the relay, compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.options import text_of
from saferoom.cli.output import Plain
from saferoom.errors import UsageError

if TYPE_CHECKING:
    from saferoom.audit.evidence.sources import Source
    from saferoom.contracts.contract import Contract

ContractOption = Annotated[
    list[Path] | None,
    typer.Option(help="A contract that you trust, as JSON: its keys check logs and receipts."),
]


SHOWN_FAULTS = 10


def register(app: typer.Typer) -> None:
    """Make `reconcile` a command of `saferoom audit`."""
    node_command(app, "saferoom audit reconcile bank.db tax.db coordinator.db")(reconcile)


def reconcile(
    node: Node,
    logs: Annotated[
        list[Path],
        typer.Argument(help="Two logs or more: log.db files, exported folders, or bundles of whole logs."),
    ],
    key: Annotated[list[str] | None, typer.Option(help="A verifier key of one of the logs.")] = None,
    contract: ContractOption = None,
    job: Annotated[str, typer.Option(help="Only the job whose id begins so.")] = "",
    patience_s: Annotated[float, typer.Option(help="So far may the nodes' clocks be apart.")] = 60.0,
) -> None:
    """Compare logs and name what does not fit, and by whom.

    Missing, mismatched, late or forged: conversations, disclosures, steps of jobs, contracts.

    Exit codes: 0 all that can be compared fits, 13 something does not, 1 a log is invalid.
    """
    from saferoom.audit.reconcile.logs import reconcile as compare

    contracts = load_contracts(contract or [])
    keys = [*(key or []), *log_keys(contracts.values())]
    with ExitStack() as stack:
        sources = _sources(stack, logs)
        verdicts = [verdict for path in logs for verdict in _verdicts(path, keys)]
        bad = [verdict for verdict in verdicts if verdict["verdict"] == "INVALID"]
        if bad:
            node.show({"ok": False, "logs": bad}, _invalid_lines)
            raise typer.Exit(1)
        found = compare(sources, keys=signing_keys(contracts), patience_s=patience_s, job=job)
    unproved = [verdict["origin"] for verdict in verdicts if not verdict["key_verified"]]
    node.show({**found.to_dict(), "keys_not_given": unproved}, reconcile_lines)
    raise typer.Exit(found.exit_code())


def _sources(stack: ExitStack, paths: Sequence[Path]) -> list[Source]:
    """All logs that were given, two at least, and whole. Raises: UsageError."""
    from saferoom.audit.evidence.sources import is_whole, open_sources

    sources: list[Source] = []
    for path in paths:
        for source in open_sources(path):
            stack.callback(source.close)
            sources.append(source)
    if len(sources) < 2:
        raise UsageError("one log has nothing to be compared with", remedy="name two logs or more")
    if not all(map(is_whole, sources)):
        raise UsageError(
            "a bundle of a selection does not say what is missing", remedy="ask for a bundle of whole logs"
        )
    return sources


def _verdicts(path: Path, keys: Sequence[str]) -> list[Plain]:
    """The verdict on each log at a path, under its own keys among those given.

    A log that is no bundle's and has none among them is checked under the key it names.
    """
    from saferoom.audit.evidence.bundle_reader import is_bundle, verify_logs_of
    from saferoom.audit.evidence.verify import origin_of_log, verify_log

    if is_bundle(path):
        found = verify_logs_of(path, lambda _origin: (keys, None))
        return [{**one, "key_verified": True, "faults": [one["fault"]]} for one in found]
    own = [text for text in keys if text.split("+")[0] == origin_of_log(path)]
    return [verify_log(path, own).to_dict()]


def load_contracts(paths: Sequence[Path]) -> dict[str, Contract]:
    """Contracts by hash, from JSON files: the contract itself, or what `contract show --json` prints."""
    import json

    from saferoom.contracts.canonical import contract_hash
    from saferoom.contracts.contract import contract_from, parse_contract

    contracts = {}
    for path in paths:
        text = text_of(path, "contract")
        plain = json.loads(text) if text.lstrip().startswith("{") else {}
        contract = contract_from(plain["contract"]) if "contract" in plain else parse_contract(text)
        contracts[contract_hash(contract).hex()] = contract
    return contracts


def signing_keys(contracts: Mapping[str, Contract]) -> dict[str, dict[str, bytes]]:
    """What `reconcile` needs of contracts: signing keys by contract hash and endpoint."""
    return {
        digest: {name: keys.signing for name, keys in contract.pinned_keys().items()}
        for digest, contract in contracts.items()
    }


def log_keys(contracts: Iterable[Contract]) -> list[str]:
    """The verifier keys of the logs that these contracts pin."""
    from saferoom.audit.formats.note import ED25519, NoteVerifier

    return [
        str(NoteVerifier(f"saferoom/{name}", ED25519, keys.log))
        for contract in contracts
        for name, keys in contract.pinned_keys().items()
    ]


def reconcile_lines(found: Plain) -> Iterator[str]:
    """The findings in words, and what was compared."""
    count = len(found["findings"])
    matched = sum(flow["state"] == "matched" for flow in found["flows"])
    head = "RECONCILED" if found["ok"] else f"{count} FINDINGS"
    yield f"{head}  {', '.join(found['logs'])}  {found['jobs']} jobs, {matched} flows match"
    for one in found["findings"]:
        where = ", ".join(f"{origin} {index}" for origin, index in one["entries"])
        job = f"  job {one['job'][:12]}" if one["job"] else ""
        yield f"  {one['kind']:<10} by {one['by']}: {one['what']}{job}: {one['why']} [{where}]"
    yield from (f"  note: {note}" for note in found["notes"])
    if found["keys_not_given"]:
        named = ", ".join(found["keys_not_given"])
        yield f"  note: you gave no key of {named}: whose logs they are is not proved"
    yield found["not_proved"]


def _invalid_lines(answer: Plain) -> Iterator[str]:
    for verdict in answer["logs"]:
        yield f"INVALID  {verdict['origin']}: it cannot be compared"
        yield from (f"  {fault}" for fault in verdict["faults"][:SHOWN_FAULTS])
