"""`saferoom coordinator …`: init, enrol, remove, up, status."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command, require_role
from saferoom.cli.options import (
    DEFAULT_HOME,
    HomeOption,
    PassphraseOption,
    check_target,
    given_passphrase,
    passphrase,
)
from saferoom.cli.output import Plain, pair_lines, table_lines, talk
from saferoom.cli.party_commands import say_whether_encrypted, show_daemon_log

app = typer.Typer(
    no_args_is_help=True,
    help="The coordinator: relays what it cannot read, runs jobs.",
    epilog="Example: saferoom coordinator init --organisation 'Big-data centre' --address room.example:7443",
)


@node_command(
    app, "saferoom coordinator init --organisation 'Big-data centre' --address room.example.cn:7443"
)
def init(
    node: Node,
    organisation: Annotated[str, typer.Option(help="The organisation's name, as contracts show it.")],
    address: Annotated[str, typer.Option(help="host:port at which parties reach the coordinator.")],
    listen: Annotated[
        str, typer.Option(help="host:port to listen at; default: all addresses, that port.")
    ] = "",
) -> None:
    """Make its home, its keys, and the room's certificate authority."""
    from saferoom.ids import COORDINATOR
    from saferoom.jobs.home import Home
    from saferoom.node.core import Core
    from saferoom.node.settings import NodeSettings
    from saferoom.node.setup import init_coordinator

    settings = NodeSettings(
        role="coordinator",
        node_id=COORDINATOR,
        organisation=organisation,
        listen=listen or "0.0.0.0:" + address.rsplit(":", 1)[-1],
        public_address=address,
    )
    place = Home.at(node.home)
    word = given_passphrase(node.passphrase_file)
    init_coordinator(place, settings, datetime.now(UTC), word)
    with Core.opened(place, word) as core:
        core.record("key.made")
        fingerprint = core.keys.public().fingerprint()
    node.show({"home": str(place.root), "fingerprint": fingerprint})
    say_whether_encrypted(word)
    talk.print("next: `saferoom coordinator enrol` for each party, then `saferoom coordinator up`")


@node_command(app, "saferoom coordinator enrol request.json --fingerprint '12345 67890 …'")
def enrol(
    node: Node,
    request: Annotated[Path, typer.Argument(help="The party's request.json.")],
    out: Annotated[Path, typer.Option(help="Where to write the welcome for the party.")] = Path(
        "welcome.json"
    ),
    fingerprint: Annotated[str, typer.Option(help="The party's fingerprint, as read by telephone.")] = "",
) -> None:
    """Let a party in, and write its welcome.

    Send the welcome to the party, and read the coordinator's fingerprint out to it.
    """
    from saferoom.files.private import write_private
    from saferoom.node.setup import read_text

    require_role(node.home, "coordinator")
    check_target(out)
    word = passphrase(node.home, node.passphrase_file)
    answer = node.ask(
        "party.enrol",
        request=read_text(request, "enrolment request"),
        fingerprint=fingerprint,
        **({"passphrase": word} if word else {}),
    )
    write_private(out, answer["welcome"].encode(), replace=True)
    node.show({**answer, "welcome": str(out)})
    if not fingerprint:
        talk.print("compare this fingerprint with the party by telephone before you send the welcome")


@node_command(app, "saferoom coordinator remove bank --reason 'left the room'")
def remove(
    node: Node,
    party: Annotated[str, typer.Argument(help="The party's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is logged.")],
) -> None:
    """Put a party out: it cannot connect any more.

    Its id is not given again. Contracts that name it stay as they are: revoke those that are open.
    """
    require_role(node.home, "coordinator")
    node.show(node.ask("party.remove", party=party, reason=reason))


@app.command(epilog="Example: saferoom coordinator up --home /var/lib/saferoom")
def up(home: HomeOption = DEFAULT_HOME, passphrase_file: PassphraseOption = None) -> None:
    """Run the coordinator until it is stopped."""
    from saferoom.jobs.home import Home
    from saferoom.node.daemons.serve import serve_coordinator

    require_role(home, "coordinator")
    show_daemon_log()
    place = Home.at(home)
    serve_coordinator(place, passphrase(place.root, passphrase_file))


@node_command(app, "saferoom coordinator status")
def status(node: Node) -> None:
    """Who is enrolled, who is connected, what runs."""
    require_role(node.home, "coordinator")
    node.show(node.ask("status"), _status_lines)


def _status_lines(answer: Plain) -> Iterator[str]:
    yield from pair_lines({key: value for key, value in answer.items() if key != "parties"})
    yield ""
    columns = ["party", "organisation", "connected", "revoked"]
    yield from table_lines(answer["parties"], columns, "no party is enrolled")
