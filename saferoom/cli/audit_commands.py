"""`saferoom audit …`: verify, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saferoom.cli import console_commands
from saferoom.cli.node import Node, node_command
from saferoom.cli.output import Plain
from saferoom.errors import ConfigError

if TYPE_CHECKING:
    from saferoom.node.home import Home

SHOWN_FAULTS = 10

app = typer.Typer(
    no_args_is_help=True,
    help="Check logs offline, without trusting anybody.",
    epilog="Example: saferoom audit verify log.db --key 'saferoom/bank+…'",
)

LogArgument = Annotated[
    Path | None, typer.Argument(help="A log.db or an exported folder; default: this node's.")
]


@node_command(app, "saferoom audit verify log.db --key 'saferoom/bank+…'")
def verify(
    node: Node,
    log: LogArgument = None,
    key: Annotated[
        list[str] | None, typer.Option(help="A verifier key that you got from the log's owner.")
    ] = None,
    seen: Annotated[list[Path] | None, typer.Option(help="A checkpoint that you kept from earlier.")] = None,
    max_age_s: Annotated[
        float | None, typer.Option(help="The newest entry may be this many seconds old.")
    ] = None,
) -> None:
    """Recompute a log and give a verdict.

    Exit codes: 0 it fits together, 1 it does not, 11 it is stale, 12 history was changed.
    """
    from saferoom.audit.verify import verify_log

    kept = [_text(path, "checkpoint") for path in seen or []]
    keys = key or ([] if log else [_text(_own_home(node).log_key, "log's key").strip()])
    verdict = verify_log(log or _own_home(node).log, keys, seen=kept, max_age_s=max_age_s)
    node.show(verdict.to_dict(), _verdict_lines)
    raise typer.Exit(verdict.exit_code())


@node_command(app, "saferoom audit export --out bank-log")
def export(
    node: Node,
    out: Annotated[Path, typer.Option(help="A new folder.")],
    log: LogArgument = None,
) -> None:
    """Write a log into a folder that `audit verify` reads.

    All entries with their exact bytes, and all checkpoints.
    """
    from saferoom.audit.export import export_folder

    node.show({"folder": str(out), "entries": export_folder(log or _own_home(node).log, out)})


def _own_home(node: Node) -> Home:
    from saferoom.node.home import Home

    place = Home.at(node.home)
    place.check()
    return place


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the {what} {path}", remedy="check the path") from error


def _verdict_lines(verdict: Plain) -> Iterator[str]:
    yield f"{verdict['verdict']}  {verdict['origin']}  {verdict['size']} entries"
    faults = verdict["faults"]
    yield from (f"  {fault}" for fault in faults[:SHOWN_FAULTS])
    if len(faults) > SHOWN_FAULTS:
        yield f"  and {len(faults) - SHOWN_FAULTS} faults more; --json lists them"
    yield verdict["not_proved"]


console_commands.register(app)
