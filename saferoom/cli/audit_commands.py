"""`saferoom audit …`: verify, export; the others stand in files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli import (
    console_commands,
    evidence_commands,
    lifecycle_commands,
    reconcile_command,
    successor_commands,
    witness_commands,
)
from saferoom.cli.node import Node, node_command, own_home
from saferoom.cli.options import text_of
from saferoom.cli.output import Plain
from saferoom.cli.trust import ContractOption, KeyOption, QuorumOption, TrustOptions, WitnessOption

SHOWN_FAULTS = 10

app = typer.Typer(
    no_args_is_help=True,
    help="Check logs offline, without trusting anybody.",
    epilog="Example: saferoom audit verify log.db --key 'saferoom/bank+…'",
)

app.add_typer(witness_commands.app, name="witness")
app.add_typer(successor_commands.app, name="successor")

VerifyArgument = Annotated[
    Path | None,
    typer.Argument(help="A log.db, an exported folder, or an evidence bundle; default: this node's log."),
]
LogArgument = Annotated[
    Path | None, typer.Argument(help="A log.db or an exported folder; default: this node's.")
]


@node_command(app, "saferoom audit verify log.db --key 'saferoom/bank+…'")
def verify(
    node: Node,
    log: VerifyArgument = None,
    key: KeyOption = None,
    seen: Annotated[list[Path] | None, typer.Option(help="A checkpoint that you kept from earlier.")] = None,
    max_age_s: Annotated[
        float | None,
        typer.Option(help="The newest quorum, or without witnesses the newest entry, may be so old."),
    ] = None,
    contract: ContractOption = None,
    witness: WitnessOption = None,
    quorum: QuorumOption = 1,
    require_witnesses: Annotated[
        bool, typer.Option("--require-witnesses", help="Else exit with 10.")
    ] = False,
) -> None:
    """Give a verdict on a log or bundle.

    Everything is recomputed from stored bytes; of an evidence bundle each log.

    Exit codes: 0 it fits together, 1 it does not, 10 witnesses are required and missing, 11 it is stale, 12
    history was changed. Of several logs the worst counts.
    """
    from saferoom.audit.evidence.bundle_reader import is_bundle
    from saferoom.audit.evidence.verify import verify_log

    kept = [text_of(path, "checkpoint") for path in seen or []]
    trust = TrustOptions.of(key, witness, quorum, contract)
    path = log or own_home(node.home).log
    if is_bundle(path):
        raise typer.Exit(_verify_bundle(node, path, trust, kept, max_age_s, require_witnesses))
    keys, needed = trust.for_path(path)
    if log is None and not keys:
        keys = (text_of(own_home(node.home).log_key, "log's key").strip(),)
    verdict = verify_log(path, keys, seen=kept, max_age_s=max_age_s, quorum=needed)
    node.show(verdict.to_dict(), _verdict_lines)
    raise typer.Exit(verdict.exit_code(require_witnesses=require_witnesses))


def _verify_bundle(
    node: Node,
    path: Path,
    trust: TrustOptions,
    kept: list[str],
    max_age_s: float | None,
    require_witnesses: bool,
) -> int:
    from saferoom.audit.evidence.bundle_reader import exit_code, verify_logs_of

    verdicts = verify_logs_of(path, trust.for_log, seen=kept, max_age_s=max_age_s)
    node.show({"bundle": str(path), "logs": verdicts}, _bundle_lines)
    return exit_code(verdicts, require_witnesses=require_witnesses)


@node_command(app, "saferoom audit export --out bank-log")
def export(
    node: Node,
    out: Annotated[Path, typer.Option(help="A new folder.")],
    log: LogArgument = None,
) -> None:
    """Write a log into a folder that `audit verify` reads.

    All entries with their exact bytes, and all checkpoints.
    """
    from saferoom.audit.log.export import export_folder

    node.show({"folder": str(out), "entries": export_folder(log or own_home(node.home).log, out)})


@node_command(app, "saferoom audit tiles --out bank-tiles")
def tiles(
    node: Node,
    out: Annotated[Path, typer.Option(help="A new folder.")],
    log: LogArgument = None,
) -> None:
    """Write a log as the files of C2SP tlog-tiles, for tools of others.

    The folder holds all entries: give it to nobody who may not read them.
    """
    from saferoom.audit.log.tlog import export_tiles

    node.show({"folder": str(out), "files": export_tiles(log or own_home(node.home).log, out)})


def _verdict_lines(verdict: Plain) -> Iterator[str]:
    yield f"{verdict['verdict']}  {verdict['origin']}  {verdict['size']} entries"
    faults = verdict["faults"]
    yield from (f"  {fault}" for fault in faults[:SHOWN_FAULTS])
    if len(faults) > SHOWN_FAULTS:
        yield f"  and {len(faults) - SHOWN_FAULTS} faults more; --json lists them"
    if verdict["witnessed"]:
        seen = verdict["witnessed"]
        yield f"  the first {seen['size']} cosigned by {', '.join(seen['by'])}"
    yield verdict["not_proved"]


def _bundle_lines(answer: Plain) -> Iterator[str]:
    for one in answer["logs"]:
        yield f"{one['verdict']}  {one['origin']}  {one['entries']} of {one['size']} entries"
        if one["fault"]:
            yield f"  {one['fault']}"
        if one["witnesses"]:
            yield f"  cosigned by {', '.join(one['witnesses'])}"
        yield f"  {one['not_proved']}"


reconcile_command.register(app)
evidence_commands.register(app)
lifecycle_commands.register(app)
console_commands.register(app)
