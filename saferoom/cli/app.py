"""The root of the command tree, and the one place where errors become exit codes."""

from __future__ import annotations

import logging
import sys

import typer

from saferoom import __version__
from saferoom.cli import (
    INTERRUPTED,
    audit_commands,
    contract_commands,
    coordinator_commands,
    data_commands,
    grade_commands,
    home_commands,
    job_commands,
    keys_commands,
    lab_commands,
    model_commands,
    party_commands,
    report_commands,
    score_commands,
)
from saferoom.cli.output import talk
from saferoom.errors import SafeRoomError

HELP = """SafeRoom (数据安全屋): joint credit models of data that are usable but invisible.

Organisations that may not show each other their data train a model together. Each runs a
party node next to its data; a coordinator passes on what it cannot read.

\b
To try it:    saferoom demo                     a whole room on this machine
              saferoom lab run ROOM.yaml        the same on your own files
To set up:    saferoom coordinator init|enrol   then  party init|join, at each organisation
To work:      data add, contract draft|review|approve, job submit, score batch, grade compare
To check:     party doctor, home show, job show, audit verify

A command asks the node whose home is named by --home or SAFEROOM_HOME.
"""

app = typer.Typer(
    name="saferoom",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Example: saferoom demo",
)
app.command("demo", epilog="Example: saferoom demo --out demo-out")(lab_commands.demo)
for name, group in (
    ("lab", lab_commands.app),
    ("coordinator", coordinator_commands.app),
    ("party", party_commands.app),
    ("data", data_commands.app),
    ("contract", contract_commands.app),
    ("job", job_commands.app),
    ("model", model_commands.app),
    ("score", score_commands.app),
    ("grade", grade_commands.app),
    ("report", report_commands.app),
    ("audit", audit_commands.app),
    ("keys", keys_commands.app),
    ("home", home_commands.app),
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
        code = app(standalone_mode=False)
    except SafeRoomError as error:
        talk.print(f"error: {error}", markup=False, style="red")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "show"):  # click's own usage errors
            error.show()
            return 2
        raise
    return code if isinstance(code, int) else 0  # an Exit comes back as its code
