"""`saferoom audit serve` and `saferoom audit entry`: the console, and what re-checks one entry it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saferoom.cli.node import Node, own_home
from saferoom.cli.options import DEFAULT_HOME, HomeOption, JsonOption, LangOption, PassphraseOption, text_of
from saferoom.cli.output import Plain, cell, print_json, print_lines, talk
from saferoom.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from saferoom.audit.witness.quorum import Quorum
    from saferoom.contracts.contract import Contract

KeyOption = Annotated[
    list[str] | None, typer.Option("--key", help="A verifier key that you got from a log's owner.")
]
SeenOption = Annotated[
    list[Path] | None, typer.Option("--seen", help="A checkpoint that you kept from earlier.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `saferoom audit`."""
    app.command("serve", epilog="Example: saferoom audit serve bank.db tax-log --key 'saferoom/bank+…'")(
        serve
    )
    app.command("entry", epilog="Example: saferoom audit entry bank.db 17 --key 'saferoom/bank+…'")(entry)


def serve(
    logs: Annotated[
        list[Path] | None, typer.Argument(help="Logs and exported folders; default: this node's log.")
    ] = None,
    key: KeyOption = None,
    seen: SeenOption = None,
    contract: Annotated[
        list[Path] | None, typer.Option(help="A contract you trust: its keys and witnesses count.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="The verifier key of a witness you trust.")
    ] = None,
    quorum: Annotated[
        int, typer.Option(help="So many of these witnesses are needed.", min=1, show_default=False)
    ] = 1,
    max_age_s: Annotated[
        float | None, typer.Option(help="The newest quorum, or without one the newest entry, may be so old.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free one.")] = 8443,
    certificate: Annotated[Path | None, typer.Option(help="The console's TLS certificate.")] = None,
    certificate_key: Annotated[Path | None, typer.Option(help="Its private key.")] = None,
    clients: Annotated[
        Path | None, typer.Option(help="PEM file of client certificates to let in, instead of a token.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    passphrase_file: PassphraseOption = None,
    lang: LangOption = "",
) -> None:
    """Open the auditor's console: logs, contracts, jobs, proofs.

    Read only, and needs no running node. Log in with the one-time token it prints.
    """
    _need_console()
    from saferoom.audit.witness.quorum import Quorum
    from saferoom.cli.reconcile_command import load_contracts, signing_keys
    from saferoom.console.reading.evidence import Evidence
    from saferoom.console.reading.opened import Reliance
    from saferoom.console.serve import Place
    from saferoom.console.serve import serve as run

    paths = logs or [own_home(home).log]
    if not logs:  # somebody reads this node's own log: that stands in it first
        Node(home, passphrase_file, as_json=False).ask("audit.read", what="console")
    keys = key or ([] if logs else [text_of(own_home(home).log_key, "log's key").strip()])
    place = Place(host, port, certificate, certificate_key, clients)
    place.check()
    talk.print(f"reading {len(paths)} log(s) …", markup=False)
    kept = [text_of(path, "checkpoint") for path in seen or []]
    contracts = load_contracts(contract or [])
    pinned, agreed = _of_contracts(contracts.values(), paths)
    trust = Reliance.of(
        [*keys, *pinned],
        kept,
        max_age_s,
        quorum=Quorum.of_keys(quorum, witness) if witness else None,
        quorums=agreed,
        signing=signing_keys(contracts),
    )
    evidence = Evidence.open(paths, trust)
    talk.print(f"{len(evidence.index.columns):,} entries; Ctrl-C ends the console", markup=False)
    run(evidence, place, lang, print_now)


def entry(
    log: Annotated[Path, typer.Argument(help="A log.db or an exported folder.")],
    index: Annotated[int, typer.Argument(help="The entry's index.")],
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one entry and its proof in the log's newest signed tree.

    Whether the whole log fits together, `audit verify` says.
    """
    from saferoom.audit.formats.canonical import decode
    from saferoom.audit.formats.inclusion import EntryProver
    from saferoom.console.reading.opened import Reliance
    from saferoom.console.reading.sources import log_file

    with log_file(log).opened() as snapshot:
        identity = snapshot.identity()
        keys = Reliance.of(key or [identity.verifier_key]).keys_of(identity.origin)
        if not keys:
            raise UsageError(f"none of the keys is {identity.origin}'s", step="audit entry")
        proof = EntryProver(snapshot, snapshot.note(), keys).prove(index)
    answer = {
        "origin": identity.origin,
        "index": index,
        "size": proof.checkpoint.size,
        "leaf": proof.leaf.hex(),
        "path": [one.hex() for one in proof.path],
        "root": proof.checkpoint.root.hex(),
        "key_verified": bool(key),
        "event": decode(proof.data),
    }
    if as_json:
        print_json(answer)
    else:
        print_lines(_entry_lines(answer))


def _entry_lines(answer: Plain) -> Iterator[str]:
    yield f"PROVED  {answer['origin']}  entry {answer['index']} of {answer['size']}"
    if not answer["key_verified"]:
        yield "  by the key that the log itself names: its owner is not proved"
    for name, value in _flat(answer["event"]):
        yield f"{name:>26}  {value}"
    yield f"{'leaf':>26}  {answer['leaf']}"
    for step in answer["path"]:
        yield f"{'path':>26}  {step}"
    yield f"{'root':>26}  {answer['root']}"


def _flat(event: Plain, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in event.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", cell(value)


def print_now(text: str) -> None:
    """Print at once, also into a pipe: whoever waits for the address must get it."""
    print(text, flush=True)


def _of_contracts(contracts: Iterable[Contract], logs: Sequence[Path]) -> tuple[list[str], dict[str, Quorum]]:
    """The verifier keys that contracts pin for the owners of these logs, and the quorums they ask for."""
    from saferoom.audit.evidence.verify import origin_of_log
    from saferoom.node.witnessing.quorums import log_verifier, node_of, quorum_of

    keys: list[str] = []
    quorums: dict[str, Quorum] = {}
    for contract in contracts:
        for origin in [origin_of_log(log) for log in logs]:
            pinned = contract.pinned_keys().get(node_of(origin))
            if pinned is not None:
                keys.append(str(log_verifier(origin, pinned.log)))
                needed = quorum_of(contract, pinned.node_id)
                quorums |= {origin: needed} if needed else {}
    return keys, quorums


def _need_console() -> None:
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "the console is not installed", step="audit serve", remedy="pip install 'saferoom[console]'"
        ) from error
