"""`saferoom model …`: list, show, card, export, destroy."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.output import Plain, cell, pair_lines, table_lines, talk

app = typer.Typer(
    no_args_is_help=True, help="This party's parts of models.", epilog="Example: saferoom model list"
)

ModelArgument = Annotated[str, typer.Argument(help="The model's id (that of its job), or its beginning.")]


@node_command(app, "saferoom model list", name="list")
def list_(node: Node) -> None:
    """All models this party has a part of."""
    rows = node.ask("model.list")["models"]
    node.show(rows, lambda found: table_lines(found, ["id", "contract", "made"], "there is no model here"))


@node_command(app, "saferoom model show 3f", name="show")
def show_(node: Node, model: ModelArgument) -> None:
    """This party's own coefficients, and the files the job left."""
    node.show(node.ask("model.show", model=model), _model_lines)


@node_command(app, "saferoom model card 3f")
def card(node: Node, model: ModelArgument) -> None:
    """What a model was made of and for, how good it is.

    Markdown. Metrics only at the party that evaluated it, coefficients of this party's own columns.
    """
    node.show(node.ask("model.card", model=model), _card_lines)


@node_command(app, "saferoom model export 3f --out model-2025-q1")
def export(
    node: Node, model: ModelArgument, out: Annotated[Path, typer.Option(help="A new folder.")]
) -> None:
    """Copy this party's part of a model into a folder.

    With its metrics, scores and report, if they are here. Logged.
    """
    node.show(node.ask("model.export", model=model, out=str(out.absolute())))


@node_command(app, "saferoom model destroy 3f --reason 'the quarter is over'")
def destroy(
    node: Node,
    model: ModelArgument,
    reason: Annotated[str, typer.Option(help="Why; it is signed, logged and sent to the others.")],
) -> None:
    """Destroy a model, and the scores made with it, at every party. Cannot be undone.

    Copies that were taken out with `model export` or `--out` are not reached.
    """
    answer = node.ask("model.destroy", model=model, reason=reason, by=getpass.getuser())
    node.show(answer)
    if not answer["told"]:
        talk.print("the other parties hear of it when this node is connected again")


def _model_lines(answer: Plain) -> Iterator[str]:
    model = answer["model"]
    facts = {key: model[key] for key in ("kind", "contract", "party", "intercept") if key in model}
    yield from pair_lines({"id": answer["id"], **facts, "files": answer["files"]})
    yield ""
    from saferoom.kinds.scorecard import TABLE  # loads numpy, which the command line does without

    if TABLE in answer:
        yield from _table_of_points(answer[TABLE])
        return
    if "trees" in model:
        yield from _importance(model)
        return
    rows = [
        {"column": name, "coefficient": f"{value:10.6f}"}
        for name, value in zip(model["columns"], model["coefficients"], strict=True)
    ]
    yield from table_lines(rows, ["column", "coefficient"], "this party brought no column")


def _importance(model: Plain) -> Iterator[str]:
    """Own columns by importance, and at the label holder the gain of each party's splits."""
    gains = {party: f"{gain:.1f}" for party, gain in model.get("gains", {}).items()}
    if gains:
        yield from ("gain by party", *pair_lines(gains), "")
    rows = [
        {**line, "gain": f"{line['gain']:.1f}"} if "gain" in line else line for line in model["importance"]
    ]
    keys = ["column", "splits", "cover", *(["gain"] if gains else [])]
    yield from table_lines(rows, keys, "no split is of this party's columns")


def _table_of_points(card: Plain) -> Iterator[str]:
    """A scorecard's bins and points; of the label holder the base points first."""
    if "base_points" in card:
        yield from (*pair_lines({"base_points": card["base_points"]}), "")
    rows = [
        {
            "feature": feature["name"],
            "bin": one["name"],
            "woe": f"{one['woe']:+.3f}",
            "points": one["points"],
            "note": "wrong sign" if feature.get("wrong_sign") else "",
        }
        for feature in card["features"]
        for one in feature["bins"]
    ]
    wrong = any(row["note"] for row in rows)
    keys = ["feature", "bin", "woe", "points", *(["note"] if wrong else [])]
    yield from table_lines(rows, keys, "this party brought no column")


def _card_lines(card: Plain) -> Iterator[str]:
    """A page of Markdown."""
    yield f"# {card['contract']['title']}"
    yield ""
    yield f"Model `{card['model']}`, {card['kind']}, made {card['made']}, kept until {card['kept_until']}."
    yield from _section("Contract", card["contract"])
    yield from _rows("Parties", card["parties"])
    yield from _section("Rows", card["rows"])
    for name, values in _measured(card["metrics"]):
        yield from _section(f"Metrics: {name}", values)
    yield from _results(card["metrics"] or {})
    yield from _quality(card["party"], card["quality"] or {})
    if "trees" in card:
        yield from _section("Gain by party", card.get("gains", {}))
        if card["importance"]:
            yield from _rows(f"Importance of the columns of {card['party']}", card["importance"])
    else:
        own = {**card["coefficients"], "intercept": card["intercept"]}
        yield from _section(f"Coefficients of {card['party']}", own)
        yield from _section("Wrong signs", dict.fromkeys(card.get("wrong_signs", ()), "wrong sign"))
    left_out = {**card.get("dropped", {}), **(card["quality"] or {}).get("dropped", {})}
    yield from _section("Left out", left_out)
    yield from _section("Points", card["points"])
    yield from _section("Grades alone", card.get("grades_alone", {}))
    yield from _section("Holds only if", dict.fromkeys(card["assumptions"], "accepted"))


def _measured(metrics: Plain | None) -> Iterator[tuple[str, Plain]]:
    """Joint and alone, where they were measured here."""
    for prefix, found in (("", metrics or {}), ("alone, ", (metrics or {}).get("alone", {}))):
        for rows in ("train", "test"):
            if found.get(rows):
                yield f"{prefix}{rows}", found[rows]


def _results(metrics: Plain) -> Iterator[str]:
    """How far the figures may be off, what outcomes say about the grades, and what both can bear."""
    from saferoom.report.remarks import remarks  # the command line does without what only a card needs
    from saferoom.report.result_rows import grade_rows, intervals

    found = intervals(metrics)
    if found:
        yield from _section("Intervals, 95 %", found)
    if "grading" in metrics:
        yield from _rows(f"Grades, {metrics['grading']['rows_of']} rows", grade_rows(metrics["grading"]))
    said = [f"- {remark.line}" for remark in remarks(metrics)]
    yield from ("", "## What the figures bear", "", *said) if said else ()


def _quality(party: str, quality: Plain) -> Iterator[str]:
    """What became of the party's data set."""
    if not quality:
        return
    facts = {name: quality.get(name) for name in ("dataset", "as_of", "without_consent", "rows", "aligned")}
    rejected = {name: count for name, count in quality["ids"].items() if count}
    gaps = {name: f"{share:.1%}" for name, share in quality["gaps"].items() if share}
    others = {f"others: {name}": its for name, its in quality["vif_of_others"].items()}
    yield from _section(f"Data of {party}", {**facts, "rejected_ids": rejected})
    yield from _section("Gaps", gaps)
    yield from _section("Variance inflation", {**quality["vif"], **others})


def _section(title: str, values: Plain) -> Iterator[str]:
    lines = [f"- {key.replace('_', ' ')}: {text}" for key, value in values.items() if (text := cell(value))]
    if lines:
        yield from ("", f"## {title}", "", *lines)


def _rows(title: str, rows: list[Plain]) -> Iterator[str]:
    yield from ("", f"## {title}", "", f"| {' | '.join(rows[0])} |", "|---" * len(rows[0]) + "|")
    yield from (f"| {' | '.join(map(cell, row.values()))} |" for row in rows)
