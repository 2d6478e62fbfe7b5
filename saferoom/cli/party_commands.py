"""`saferoom party …`: init, join, up, status, doctor."""

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
    results,
    show,
    talk,
)
from saferoom.errors import VerificationError
from saferoom.node.core import Core
from saferoom.node.doctor import examine
from saferoom.node.home import Home
from saferoom.node.serve import serve_party
from saferoom.node.setup import init_party, read_text
from saferoom.node.setup import join as join_room

app = typer.Typer(
    no_args_is_help=True,
    help="A party's node: next to its data, behind its firewall.",
    epilog="Example: saferoom party init bank --organisation 'Bank of the Valley'",
)


@app.command()
def init(
    party: Annotated[str, typer.Argument(help="The party's id: a-z, 0-9 and '-'.")],
    organisation: Annotated[str, typer.Option(help="The organisation's name, as contracts show it.")],
    home: HomeOption = DEFAULT_HOME,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the node's home and keys, and the request with which it asks to be enrolled."""
    place = Home.at(home)
    word = passphrase(passphrase_file)
    init_party(place, party, organisation, datetime.now(UTC), word)
    with Core.opened(place, word) as core:
        core.record("key.made")
        fingerprint = core.keys.public().fingerprint()
    talk.print("next: send request.json to the coordinator, and read the fingerprint out to it by telephone")
    show({"home": str(place.root), "request": str(place.request), "fingerprint": fingerprint}, as_json)


@app.command()
def join(
    welcome: Annotated[Path, typer.Argument(help="The welcome.json that the coordinator wrote.")],
    fingerprint: Annotated[
        str, typer.Option(help="The coordinator's fingerprint, as read by telephone.")
    ] = "",
    home: HomeOption = DEFAULT_HOME,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the coordinator's welcome: certificate, address, keys."""
    text = read_text(welcome, "welcome")
    with Core.opened(Home.at(home), passphrase(passphrase_file)) as core:
        joined = join_room(core, text, datetime.now(UTC), fingerprint or None)
    if not fingerprint:
        talk.print("compare the coordinator's fingerprint by telephone before you start the node")
    show({"coordinator": joined.address, "fingerprint": joined.coordinator.fingerprint()}, as_json)


@app.command()
def up(home: HomeOption = DEFAULT_HOME, passphrase_file: PassphraseOption = None) -> None:
    """Run the node until it is stopped. It dials out; it opens no port."""
    serve_party(Home.at(home), passphrase(passphrase_file))


@app.command()
def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Whether the node is up and connected, what it holds, what runs."""
    show(ask(home, "status"), as_json)


@app.command()
def doctor(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Look for what often goes wrong: clock, certificates, network, proxy, disk, memory, permissions."""
    findings = examine(Home.at(home))
    if as_json:
        show({"findings": [finding.to_plain() for finding in findings]}, as_json)
    else:
        for finding in findings:
            results.print(
                f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what:<14} {finding.text}", markup=False
            )
    bad = [finding.what for finding in findings if not finding.ok]
    if bad:
        raise VerificationError(f"{len(bad)} checks failed: {', '.join(bad)}")
