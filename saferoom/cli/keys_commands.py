"""`saferoom keys …`: show."""

from __future__ import annotations

import typer

from saferoom.cli.node import Node, node_command

app = typer.Typer(no_args_is_help=True, help="This node's keys.", epilog="Example: saferoom keys show")


@app.callback()
def _group() -> None:
    """Keys are made by `party init` and `coordinator init`, and never leave the node."""


@node_command(app, "saferoom keys show", name="show")
def show_(node: Node) -> None:
    """The fingerprint to read out, and the public keys.

    The log key is what your auditor verifies the log with.
    """
    node.show(node.ask("keys.show"))
