"""The root of the command tree, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import sys

import typer
from rich.console import Console

from saferoom import __version__
from saferoom.cli import (
    audit_commands,
    contract_commands,
    coordinator_commands,
    data_commands,
    job_commands,
    keys_commands,
    lab_commands,
    model_commands,
    party_commands,
    report_commands,
    score_commands,
)
from saferoom.errors import SafeRoomError

app = typer.Typer(
    name="saferoom",
    help="SafeRoom (数据安全屋): joint credit models of data that are usable but invisible.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Example: saferoom demo",
)
app.command("demo")(lab_commands.demo)
for name, group in (
    ("lab", lab_commands.app),
    ("coordinator", coordinator_commands.app),
    ("party", party_commands.app),
    ("data", data_commands.app),
    ("contract", contract_commands.app),
    ("job", job_commands.app),
    ("model", model_commands.app),
    ("score", score_commands.app),
    ("report", report_commands.app),
    ("audit", audit_commands.app),
    ("keys", keys_commands.app),
):
    app.add_typer(group, name=name)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Write the debug log to stderr."),
) -> None:
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def run() -> int:
    """Run the command line; returns the exit code (0 done, 1 failed, 2 usage, 3 peer, 4 refused)."""
    try:
        app(standalone_mode=False)
    except SafeRoomError as error:
        Console(stderr=True).print(
            f"error: {error}", markup=False, highlight=False, style="red", soft_wrap=True
        )
        return error.exit_code
    except typer.Exit as done:
        return int(done.exit_code)
    except KeyboardInterrupt:
        return 130
    except typer.Abort:
        return 130
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "show"):  # click's own usage errors
            error.show()
            return 2
        raise
    return 0
