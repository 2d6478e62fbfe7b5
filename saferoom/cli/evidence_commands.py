"""`saferoom audit …`: search, fsck, bundle, verifier: what auditors find, check, and take along."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saferoom.cli.node import Node, node_command, own_home
from saferoom.cli.options import text_of
from saferoom.cli.output import Plain, table_lines
from saferoom.cli.reconcile_command import load_contracts, log_keys, signing_keys
from saferoom.cli.trust import ContractOption, KeyOption, QuorumOption, TrustOptions, WitnessOption
from saferoom.errors import UsageError

if TYPE_CHECKING:
    from saferoom.audit.evidence.search import Query
    from saferoom.audit.evidence.sources import Reader, Source

LogPath = Annotated[Path | None, typer.Argument(help="A log.db or an exported folder; default: this node's.")]
SourcePath = Annotated[
    Path | None,
    typer.Argument(help="A log.db, an exported folder, or an evidence bundle; default: this node's log."),
]
Since = Annotated[str, typer.Option(help="From this time: 2026-01-31 or 2026-01-31T08:00:00Z.")]
Until = Annotated[str, typer.Option(help="Before this time.")]
PartyFilter = Annotated[str, typer.Option(help="Who acts, is spoken with, or learns.")]
ContractFilter = Annotated[str, typer.Option(help="The contract whose id begins so.")]
Type = Annotated[list[str] | None, typer.Option("--type", help="A type, such as disclosure.")]


def register(app: typer.Typer) -> None:
    """Make these commands of `saferoom audit`."""
    node_command(app, "saferoom audit search --party tax --type disclosure")(search)
    node_command(app, "saferoom audit fsck bank.db --other tax.db")(fsck)
    node_command(app, "saferoom audit bundle bank.db tax.db --out evidence.zip")(bundle)
    node_command(app, "saferoom audit verifier")(verifier)


def search(
    node: Node,
    log: SourcePath = None,
    since: Since = "",
    until: Until = "",
    party: PartyFilter = "",
    actor: Annotated[str, typer.Option(help="An organisation or a pseudonym.")] = "",
    contract: ContractFilter = "",
    purpose: Annotated[str, typer.Option(help="The purpose, exactly.")] = "",
    dataset: Annotated[str, typer.Option(help="The data set's name.")] = "",
    job: Annotated[str, typer.Option(help="The job whose id begins so.")] = "",
    type_: Type = None,
    stage: Annotated[list[str] | None, typer.Option(help="A stage, such as sharing.")] = None,
    outcome: Annotated[list[str] | None, typer.Option(help="allowed, refused or failed.")] = None,
    subject: Annotated[str, typer.Option(help="An enterprise code, found by its salts.")] = "",
    salts: Annotated[Path | None, typer.Option(help="The salts' file; default: this node's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write them into this new folder too.")] = None,
    format_: Annotated[
        list[str] | None, typer.Option("--format", help="jsonl, csv or ocsf; for --out.")
    ] = None,
) -> None:
    """Find entries, and write them out in other formats.

    All that is given must fit. What is found proves nothing about what is not: a selection is not complete.
    """
    from saferoom.audit.evidence.search import Query
    from saferoom.audit.evidence.search import search as find
    from saferoom.audit.evidence.sources import is_whole, size_of

    query = Query(
        since=since,
        until=until,
        types=tuple(type_ or ()),
        stages=tuple(stage or ()),
        outcomes=tuple(outcome or ()),
        party=party,
        actor=actor,
        contract=contract,
        purpose=purpose,
        dataset=dataset,
        session=job,
        subjects=_commitments(node, subject, salts) if subject else None,
    )
    with ExitStack() as stack:
        sources = _sources(stack, node, log)
        if out is not None:
            node.show(_write_out(sources, out, query, format_))
            return
        sizes = [size_of(source) for source in sources]
        found = [
            {"index": one.index, **one.event}
            for source, size in zip(sources, sizes, strict=True)
            for one in find(source, query, end=size)
        ]
        answer = {"size": sum(sizes), "filter": query.to_dict(), "entries": found}
        node.show(answer | {"complete": all(map(is_whole, sources))}, _entry_lines)


def _write_out(
    sources: Sequence[Source], out: Path, query: Query, formats: list[str] | None
) -> dict[str, Any]:
    from saferoom.audit.evidence.selections import FORMATS, Selected, export_selection
    from saferoom.audit.evidence.sources import is_whole, size_of

    chosen = [name for name in FORMATS if name in (formats or FORMATS)]
    unknown = sorted(set(formats or ()) - set(FORMATS))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(FORMATS)}.")
    if len(sources) != 1:
        raise UsageError(
            "the bundle holds several logs, and a selection is of one",
            step="export the audit log",
            remedy="leave out --out; the entries are printed with --json",
        )
    (source,) = sources
    origin, size = source.identity().origin, size_of(source)
    about = export_selection(Selected(source, origin, size, is_whole(source)), out, query, chosen)
    return {"folder": str(out), **about}


def fsck(
    node: Node,
    log: LogPath = None,
    key: KeyOption = None,
    contract: ContractOption = None,
    witness: WitnessOption = None,
    quorum: QuorumOption = 1,
    other: Annotated[list[Path] | None, typer.Option(help="Another log, to compare anchors with.")] = None,
    canaries: Annotated[
        Path | None, typer.Option(help="A file of identifiers that must stand nowhere, one a line.")
    ] = None,
) -> None:
    """Recompute everything about a log from stored bytes.

    Exit codes: those of `audit verify`; 1 also if a cosignature's time, an anchor or an identifier is found
    wrong.
    """
    from saferoom.audit.evidence.fsck import fsck as check

    with ExitStack() as stack:
        _open(stack, node, log, "fsck")
        others = [_open(stack, node, path, "fsck") for path in other or []]
        keys, needed = TrustOptions.of(key, witness, quorum, contract).for_path(_path(node, log))
        looked_for = text_of(canaries, "list of identifiers").split() if canaries else []
        found = check(_path(node, log), keys, quorum=needed, others=others, canaries=looked_for)
    node.show(found.to_dict(), _fsck_lines)
    raise typer.Exit(found.exit_code())


def bundle(
    node: Node,
    out: Annotated[Path, typer.Option(help="A new ZIP file.")],
    logs: Annotated[list[Path] | None, typer.Argument(help="Logs; default: this node's.")] = None,
    contract_file: Annotated[
        list[Path] | None, typer.Option(help="A contract to put in, as JSON; its keys check the logs.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy to put in.")] = None,
    since: Since = "",
    until: Until = "",
    party: PartyFilter = "",
    contract: ContractFilter = "",
    type_: Type = None,
) -> None:
    """Write evidence into one ZIP that is checked on any machine.

    Entries, proofs, checkpoints, consistency proof, contracts, policy, and the reports of verify, fsck and
    reconcile. Check it with the file that `saferoom audit verifier` prints, and your own keys.
    """
    from saferoom.audit.evidence.bundle import write_bundle
    from saferoom.audit.evidence.search import Query

    types = tuple(type_ or ())
    query = Query(since=since, until=until, party=party, contract=contract, types=types)
    extra: dict[str, bytes] = {}
    for path in contract_file or []:
        extra[f"contracts/{path.name}"] = text_of(path, "contract").encode()
    if policy is not None:
        extra["policy.yaml"] = text_of(policy, "policy").encode()
    with ExitStack() as stack:
        paths: list[Path | None] = [*logs] if logs else [None]
        readers = [_open(stack, node, path, "bundle") for path in paths]
        extra |= _reports(node, paths, readers, contract_file or [])
        manifest = write_bundle(readers, out, query=query, extra=extra)
    node.show({"bundle": str(out), "files": sorted(manifest["files"]), "complete": query.is_everything})


def _reports(
    node: Node, paths: list[Path | None], readers: list[Reader], files: list[Path]
) -> dict[str, bytes]:
    from saferoom.audit.evidence.fsck import fsck as check
    from saferoom.audit.reconcile.logs import reconcile

    contracts = load_contracts(files)
    keys = log_keys(contracts.values())
    checked = {}
    for path, reader in zip(paths, readers, strict=True):
        origin = reader.identity().origin
        own = [text for text in keys if text.split("+")[0] == origin]
        checked[origin] = check(_path(node, path), own, others=readers).to_dict()
    reports: dict[str, Any] = {"reports/fsck.json": checked}
    if len(readers) > 1:
        reports["reports/reconcile.json"] = reconcile(readers, keys=signing_keys(contracts)).to_dict()
    return {
        name: json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
        for name, value in reports.items()
    }


def verifier(node: Node) -> None:
    """Print the one file that checks bundles.

    It needs nothing but Python and the package `cryptography`. Keep it where you trust it.
    """
    from saferoom.audit.evidence import verify_bundle

    text = Path(verify_bundle.__file__).read_text(encoding="utf-8")
    node.show({"program": text}, lambda answer: iter([str(answer["program"]).rstrip("\n")]))


def _path(node: Node, log: Path | None) -> Path:
    return own_home(node.home).log if log is None else log


def _open(stack: ExitStack, node: Node, log: Path | None, what: str) -> Reader:
    """A log; if it is this node's own, its reading stands in it first."""
    from saferoom.audit.evidence.sources import open_log

    path = _path(node, log)
    if log is None:
        node.ask("audit.read", what=what)
    reader = open_log(path)
    stack.callback(reader.close)
    return reader


def _sources(stack: ExitStack, node: Node, log: Path | None) -> Sequence[Source]:
    """The logs that are searched: one, or those of a bundle."""
    from saferoom.audit.evidence.sources import open_sources

    if log is None:
        return [_open(stack, node, None, "search")]
    sources = open_sources(log)
    for source in sources:
        stack.callback(source.close)
    return sources


def _commitments(node: Node, subject: str, salts: Path | None) -> tuple[str, ...]:
    from saferoom.audit.log.commitments import find_commitments
    from saferoom.jobs.home import Home

    return tuple(find_commitments(salts or Home.at(node.home).salts, subject))


def _entry_lines(answer: Plain) -> Iterator[str]:
    columns = ("index", "time", "type", "outcome", "node", "reason")
    yield from table_lines(answer["entries"], columns, "no entry fits")
    if answer["filter"] or not answer["complete"]:
        yield "A selection is not complete: it proves nothing about what it leaves out."


def _fsck_lines(answer: Plain) -> Iterator[str]:
    verdict = answer["verdict"]
    yield f"{verdict['verdict']}  {verdict['origin']}  {verdict['size']} entries"
    for name, faults in answer["checks"].items():
        yield f"  {name:<13} {'well' if not faults else '; '.join(faults[:10])}"
    yield verdict["not_proved"]
