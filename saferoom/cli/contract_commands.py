"""`saferoom contract …`: draft, explain, review, approve, refuse, show, list, revoke."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.options import LangOption
from saferoom.cli.output import Plain, pair_lines, table_lines, talk

app = typer.Typer(no_args_is_help=True, help="Data-use agreements.", epilog="Example: saferoom contract list")

ContractArgument = Annotated[str, typer.Argument(help="The contract's id, or its beginning.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is logged and sent to the others.")]


@node_command(app, "saferoom contract draft contract.yaml")
def draft(
    node: Node, file: Annotated[Path, typer.Argument(help="The draft, a YAML file; see docs/contracts.md.")]
) -> None:
    """Make a contract from a YAML draft and send it to its parties.

    At the coordinator. The keys of the enrolled parties are pinned in it.
    """
    from saferoom.files.yaml_text import read_yaml

    content = read_yaml(file, "draft", remedy="see configs/contracts for examples")
    _show_brief(node, node.ask("contract.draft", draft=content))


@node_command(app, "saferoom contract list", name="list")
def list_(node: Node) -> None:
    """All contracts this node knows."""
    rows = node.ask("contract.list")["contracts"]
    columns = ["id", "state", "title", "parties", "signed", "reason"]
    node.show(rows, lambda found: table_lines(found, columns, "no contract is known"))


@node_command(app, "saferoom contract show credit-2025-q1", name="show")
def show_(node: Node, contract: ContractArgument) -> None:
    """One contract: its text, its signatures, the keys it pins."""
    node.show(node.ask("contract.show", contract=contract), _yaml_lines)


@node_command(app, "saferoom contract explain credit-2025-q1 --lang zh")
def explain(node: Node, contract: ContractArgument, lang: LangOption = "") -> None:
    """Who will learn what under it, and how that could be abused."""
    answer = node.ask("contract.explain", contract=contract, lang=lang)
    node.show(answer, lambda found: iter([found["text"]]))


@node_command(app, "saferoom contract review credit-2025-q1")
def review(node: Node, contract: ContractArgument, lang: LangOption = "") -> None:
    """What to read before you approve.

    The explanation, the fingerprints to compare by telephone, and what this party's policy says.
    """
    answer = node.ask("contract.review", contract=contract, lang=lang)
    answer["fingerprints"] = node.ask("contract.show", contract=contract)["fingerprints"]
    node.show(answer, _review_lines)


@node_command(app, "saferoom contract approve credit-2025-q1")
def approve(node: Node, contract: ContractArgument) -> None:
    """Sign it for this party. Review it first."""
    _show_brief(node, node.ask("contract.approve", contract=contract, by=_who()))
    talk.print("signed; it is active once all parties have signed")


@node_command(app, "saferoom contract refuse credit-2025-q1 --reason 'column trade is not needed'")
def refuse(node: Node, contract: ContractArgument, reason: ReasonOption) -> None:
    """Say no for this party."""
    _show_brief(node, node.ask("contract.refuse", contract=contract, reason=reason, by=_who()))
    talk.print("refused; the contract is closed as soon as the coordinator has heard it")


@node_command(app, "saferoom contract revoke credit-2025-q1 --reason 'new legal advice'")
def revoke(node: Node, contract: ContractArgument, reason: ReasonOption) -> None:
    """End it for everybody; its running jobs stop."""
    _show_brief(node, node.ask("contract.revoke", contract=contract, reason=reason, by=_who()))


def _show_brief(node: Node, answer: Plain) -> None:
    keys = ("id", "title", "state", "parties", "signed", "reason", "hash")
    node.show(answer, lambda found: pair_lines({key: found[key] for key in keys}))


def _yaml_lines(answer: Plain) -> Iterator[str]:
    from saferoom.files.yaml_text import yaml_text

    yield yaml_text(answer).rstrip()


def _review_lines(answer: Plain) -> Iterator[str]:
    yield answer["text"]
    yield from pair_lines(answer["fingerprints"])
    yield "policy: " + ("; ".join(answer["policy"]) or "allows it")


def _who() -> str:
    return getpass.getuser()
