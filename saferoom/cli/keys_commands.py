"""`saferoom keys …`: show."""

from __future__ import annotations

import typer

from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, ask, show

app = typer.Typer(no_args_is_help=True, help="This node's keys.", epilog="Example: saferoom keys show")


@app.callback()
def _group() -> None:
    """Keys are made by `party init` and `coordinator init`, and never leave the node."""


@app.command("show")
def show_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """The public keys, the fingerprint to read out, and the key that verifies the log."""
    show(ask(home, "keys.show"), as_json)
