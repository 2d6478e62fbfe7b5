"""`saferoom coordinator …`: init, enrol, up, status."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    PassphraseOption,
    ask,
    passphrase,
    show,
    show_table,
    talk,
)
from saferoom.identity.files import write_private
from saferoom.ids import COORDINATOR
from saferoom.node.core import Core
from saferoom.node.home import Home
from saferoom.node.serve import serve_coordinator
from saferoom.node.settings import NodeSettings
from saferoom.node.setup import enrol as enrol_party
from saferoom.node.setup import init_coordinator, read_text

app = typer.Typer(
    no_args_is_help=True,
    help="The coordinator: relays what it cannot read, and schedules jobs.",
    epilog="Example: saferoom coordinator init --organisation 'Big-data centre' --address room.example:7443",
)


@app.command()
def init(
    organisation: Annotated[str, typer.Option(help="The organisation's name, as contracts show it.")],
    address: Annotated[str, typer.Option(help="host:port at which parties reach the coordinator.")],
    listen: Annotated[
        str, typer.Option(help="host:port to listen at; default: all addresses, that port.")
    ] = "",
    home: HomeOption = DEFAULT_HOME,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the coordinator's home, its keys, and the room's certificate authority."""
    settings = NodeSettings(
        role="coordinator",
        node_id=COORDINATOR,
        organisation=organisation,
        listen=listen or "0.0.0.0:" + address.rsplit(":", 1)[-1],
        public_address=address,
    )
    place = Home.at(home)
    word = passphrase(passphrase_file)
    init_coordinator(place, settings, datetime.now(UTC), word)
    with Core.opened(place, word) as core:
        core.record("key.made")
        fingerprint = core.keys.public().fingerprint()
    talk.print("next: `saferoom coordinator enrol REQUEST` for each party, then `saferoom coordinator up`")
    show({"home": str(place.root), "fingerprint": fingerprint}, as_json)


@app.command()
def enrol(
    request: Annotated[Path, typer.Argument(help="The party's request.json.")],
    out: Annotated[Path, typer.Option(help="Where to write the welcome for the party.")] = Path(
        "welcome.json"
    ),
    fingerprint: Annotated[
        str, typer.Option(help="The party's fingerprint, as read over the telephone.")
    ] = "",
    home: HomeOption = DEFAULT_HOME,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a party in: check its request, and write its welcome. Works while the coordinator is down."""
    text = read_text(request, "enrolment request")
    word = passphrase(passphrase_file)
    with Core.opened(Home.at(home), word) as core:
        entered, welcome = enrol_party(core, text, datetime.now(UTC), word, fingerprint or None)
    write_private(out, welcome.encode(), replace=True)
    if not fingerprint:
        talk.print("compare this fingerprint with the party by telephone before you send the welcome")
    show(
        {
            "party": entered.keys.node_id,
            "organisation": entered.organisation,
            "fingerprint": entered.keys.fingerprint(),
            "welcome": str(out),
        },
        as_json,
    )


@app.command()
def up(home: HomeOption = DEFAULT_HOME, passphrase_file: PassphraseOption = None) -> None:
    """Run the coordinator until it is stopped."""
    serve_coordinator(Home.at(home), passphrase(passphrase_file))


@app.command()
def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Who is enrolled, who is connected, what runs."""
    answer = ask(home, "status")
    if as_json:
        show(answer, as_json)
        return
    show({key: value for key, value in answer.items() if key != "parties"}, as_json)
    show_table(answer["parties"], ["party", "organisation", "connected", "revoked"], as_json)
