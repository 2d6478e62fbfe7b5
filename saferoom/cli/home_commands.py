"""`saferoom home …`: show, upgrade."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import typer

from saferoom.cli.options import DEFAULT_HOME, HomeOption, JsonOption
from saferoom.cli.output import Plain, pair_lines, print_json, print_lines, talk

app = typer.Typer(
    no_args_is_help=True,
    help="A node's home: its version, and its upgrade to this program's.",
    epilog="Example: saferoom home show",
)


@app.command("show", epilog="Example: saferoom home show --home /var/lib/saferoom")
def show_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Which version it has, and what an upgrade would do.

    Changes nothing, and needs no passphrase; the node may be up.
    """
    from saferoom.jobs.home import Home
    from saferoom.node.upgrade import look_at

    _print(asdict(look_at(Home.at(home))), as_json)


@app.command(epilog="Example: saferoom home upgrade --home /var/lib/saferoom")
def upgrade(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Bring it to this program's version.

    The node must be down. A copy of its state is kept in the home. There is no way back but that copy.
    """
    from saferoom.jobs.home import Home
    from saferoom.node.upgrade import upgrade as upgrade_home

    done = upgrade_home(Home.at(home), datetime.now(UTC), lambda text: talk.print(text, markup=False))
    _print(asdict(done), as_json)
    if done.steps:
        talk.print("next: start the node; when all is well, remove the copy", markup=False)
    else:
        talk.print("there was nothing to do", markup=False)


def _print(answer: Plain, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_lines(pair_lines(answer))
