"""`saferoom home …`: show, upgrade."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.output import talk

app = typer.Typer(
    no_args_is_help=True,
    help="A node's home: its version, and its upgrade to this program's.",
    epilog="Example: saferoom home show",
)

NEXT = "next: start the node; when all is well, remove the copy"


@node_command(app, "saferoom home show --home /var/lib/saferoom", name="show")
def show_(node: Node) -> None:
    """Which version it has, and what an upgrade would do.

    Changes nothing and opens no key; the node may be up.
    """
    from saferoom.jobs.home import Home
    from saferoom.node.upgrade import look_at

    node.show(asdict(look_at(Home.at(node.home))))


@node_command(app, "saferoom home upgrade --home /var/lib/saferoom")
def upgrade(node: Node) -> None:
    """Bring it to this program's version.

    The node must be down; no key is opened. A copy of its state is kept in the home: the only way back.
    """
    from saferoom.jobs.home import Home
    from saferoom.node.upgrade import upgrade as upgrade_home

    done = upgrade_home(Home.at(node.home), datetime.now(UTC), lambda text: talk.print(text, markup=False))
    node.show(asdict(done))
    talk.print(
        "next: start the node; when all is well, remove the copy"
        if done.steps
        else "there was nothing to do",
        markup=False,
    )
