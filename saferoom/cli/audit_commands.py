"""`saferoom audit …`: verify, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from saferoom.audit.export import export_folder
from saferoom.audit.verify import verify_log
from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, results, show
from saferoom.node.home import Home

app = typer.Typer(
    no_args_is_help=True,
    help="Check logs offline, without trusting anybody.",
    epilog="Example: saferoom audit verify log.db --key 'saferoom/bank+…'",
)

LogArgument = Annotated[
    Path | None, typer.Argument(help="A log.db or an exported folder; default: this node's.")
]


@app.command()
def verify(
    log: LogArgument = None,
    key: Annotated[
        list[str] | None, typer.Option(help="A verifier key that you got from the log's owner.")
    ] = None,
    seen: Annotated[list[Path] | None, typer.Option(help="A checkpoint that you kept from earlier.")] = None,
    max_age_s: Annotated[float | None, typer.Option(help="The newest entry may be this old.")] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Recompute everything and give a verdict. Exit codes: 0 well, 1 invalid, 11 stale, 12 diverged."""
    kept = [path.read_text(encoding="utf-8") for path in seen or []]
    verdict = verify_log(log or Home.at(home).log, key or [], seen=kept, max_age_s=max_age_s)
    if as_json:
        print(json.dumps(verdict.to_dict(), ensure_ascii=False, indent=2))
    else:
        results.print(f"{verdict.kind.name}  {verdict.origin}  {verdict.size} entries", markup=False)
        for fault in verdict.faults:
            results.print(f"  {fault}", markup=False)
        results.print(verdict.not_proved, markup=False)
    if verdict.exit_code():
        raise typer.Exit(verdict.exit_code())


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="A new folder.")],
    log: LogArgument = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Write all entries with their exact bytes, and all checkpoints, into a folder that `verify` reads."""
    show({"folder": str(out), "entries": export_folder(log or Home.at(home).log, out)}, as_json)
