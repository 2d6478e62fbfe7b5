"""`saferoom audit lifecycle` and `unlink`: data from collection to destruction, and forgetting."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command, own_home
from saferoom.cli.output import Plain, pair_lines, table_lines
from saferoom.errors import UsageError

SHOWN_LINES = 10
COLUMNS = ["time", "node", "type", "outcome", "job", "what", "reason"]
HELD_COLUMNS = ["node", "job", "stored", "due", "state", "destroyed", "exported"]
SHORT_ID = 12

ContractArgument = Annotated[str, typer.Argument(help="The contract's id, or its beginning.")]
LogsArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Logs or exported folders of one or several nodes; default: this node's."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `saferoom audit`."""
    node_command(app, "saferoom audit lifecycle credit-2025-q1")(lifecycle)
    node_command(app, "saferoom audit unlink 91510000MA0000000C")(unlink)


def lifecycle(
    node: Node,
    contract: ContractArgument,
    logs: LogsArgument = None,
    stage: Annotated[str, typer.Option(help="Only one stage, and all of it: use, sharing, …")] = "",
) -> None:
    """One contract by the six stages of the data life cycle.

    Collection, transfer, storage, use, sharing, destruction; and what was stored, until when, and
    whether it is destroyed. Nothing is verified: see `audit verify`.
    """
    from saferoom.audit.entries.vocabulary import STAGES
    from saferoom.audit.evidence.lifecycle import lifecycle as view_of

    if stage and stage not in STAGES:
        raise UsageError(f"there is no stage {stage!r}", remedy=f"name one of {', '.join(STAGES)}")
    paths = logs or [own_home(node.home).log]
    name = _whole_id(contract, _entries(paths))
    view = view_of(name, _entries(paths)).to_dict()
    if stage:
        view["stages"] = [found for found in view["stages"] if found["stage"] == stage]
    node.show(view, lambda found: _lines(found, whole=bool(stage)))


def unlink(
    node: Node, subject: Annotated[str, typer.Argument(help="The enterprise's code, or its opaque id.")]
) -> None:
    """Erase the salts of one enterprise, for good.

    No entry of this node's log can be linked with it any more, and every proof still holds. Logged.
    """
    answer = node.ask("subject.unlink", subject=subject, by=getpass.getuser())
    node.show(answer, lambda found: pair_lines({"salts erased": found["erased"]}))


def _entries(paths: Iterable[Path]) -> Iterator[tuple[int, bytes]]:
    """The entries of all logs, one after the other."""
    from saferoom.audit.log.export import FolderReader
    from saferoom.audit.log.sqlite import SqliteReader

    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no log at {path}", remedy="check the path")
        with closing(FolderReader(path) if path.is_dir() else SqliteReader(path)) as reader:
            yield from reader.entries(0, 2**62)


def _whole_id(beginning: str, entries: Iterable[tuple[int, bytes]]) -> str:
    from saferoom.audit.evidence.lifecycle import contracts_in

    known = contracts_in(entries)
    found = [beginning] if beginning in known else sorted(id_ for id_ in known if id_.startswith(beginning))
    if len(found) != 1:
        raise UsageError(
            f"{len(found) or 'no'} contracts in these logs start with {beginning!r}, one is needed",
            remedy="see `saferoom contract list`",
        )
    return found[0]


def _lines(view: Plain, *, whole: bool) -> Iterator[str]:
    yield f"contract {view['contract']}"
    for stage in view["stages"]:
        yield ""
        yield _heading(stage)
        shown = stage["lines"] if whole else stage["lines"][:SHOWN_LINES]
        rows = [{**line, "job": line["job"][:SHORT_ID]} for line in shown]
        if rows:
            yield from (f"  {text}" for text in table_lines(rows, COLUMNS, ""))
        if len(shown) < stage["entries"]:
            yield f"  and {stage['entries'] - len(shown)} more; see --stage {stage['stage']}"
    yield ""
    held = [{**row, "job": row["job"][:SHORT_ID]} for row in view["holdings"]]
    yield from table_lines(held, HELD_COLUMNS, "nothing was stored under this contract")


def _heading(stage: Plain) -> str:
    from saferoom.audit.entries.vocabulary import STAGE_MEANINGS

    title = STAGE_MEANINGS[stage["stage"]]
    counts = [f"{stage['entries']} entries"]
    counts += [f"{stage[what]} {what}" for what in ("refused", "failed") if stage[what]]
    return f"{title.zh} {title.en}: {', '.join(counts)}"
