"""`saferoom party …`: init, join, renew, up, status, doctor."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command, require_role
from saferoom.cli.options import DEFAULT_HOME, HomeOption, PassphraseOption, given_passphrase, passphrase
from saferoom.cli.output import Plain, talk
from saferoom.errors import VerificationError

app = typer.Typer(
    no_args_is_help=True,
    help="A party's node: next to its data, behind its firewall.",
    epilog="Example: saferoom party init bank --organisation 'Bank of the Valley'",
)


@node_command(app, "saferoom party init bank --organisation 'Bank of the Valley'")
def init(
    node: Node,
    party: Annotated[str, typer.Argument(help="The party's id: a-z, 0-9 and '-'.")],
    organisation: Annotated[str, typer.Option(help="The organisation's name, as contracts show it.")],
) -> None:
    """Make a party's home, its keys, and its request to be enrolled."""
    from saferoom.jobs.home import Home
    from saferoom.node.core import Core
    from saferoom.node.setup import init_party

    place = Home.at(node.home)
    word = given_passphrase(node.passphrase_file)
    init_party(place, party, organisation, datetime.now(UTC), word)
    with Core.opened(place, word) as core:
        core.record("key.made")
        fingerprint = core.keys.public().fingerprint()
    node.show({"home": str(place.root), "request": str(place.request), "fingerprint": fingerprint})
    say_whether_encrypted(word)
    talk.print("next: send request.json to the coordinator, and read the fingerprint out to it by telephone")


@node_command(app, "saferoom party join welcome.json --fingerprint '64012 56579 …'")
def join(
    node: Node,
    welcome: Annotated[Path, typer.Argument(help="The welcome.json that the coordinator wrote.")],
    fingerprint: Annotated[
        str, typer.Option(help="The coordinator's fingerprint, as read out by telephone.")
    ] = "",
) -> None:
    """Take the coordinator's welcome: address, certificate, keys."""
    from saferoom.jobs.home import Home
    from saferoom.node.core import Core
    from saferoom.node.setup import join as join_room
    from saferoom.node.setup import read_text

    require_role(node.home, "party")
    place, text = Home.at(node.home), read_text(welcome, "welcome")
    with Core.opened(place, passphrase(place.root, node.passphrase_file)) as core:
        joined = join_room(core, text, datetime.now(UTC), fingerprint or None)
    node.show({"coordinator": joined.address, "fingerprint": joined.coordinator.fingerprint()})
    if not fingerprint:
        talk.print("compare the coordinator's fingerprint by telephone before you start the node")
    talk.print("next: `saferoom party up`")


@node_command(app, "saferoom party renew")
def renew(node: Node) -> None:
    """Ask to be enrolled again, before the certificate ends.

    With the same keys. Send the new request.json to the coordinator, stop the node, and join again.
    """
    node.show(node.ask("party.renew"))


@app.command(epilog="Example: saferoom party up --home /var/lib/saferoom")
def up(home: HomeOption = DEFAULT_HOME, passphrase_file: PassphraseOption = None) -> None:
    """Run the node until it is stopped. It opens no port."""
    from saferoom.jobs.home import Home
    from saferoom.node.daemons.serve import serve_party

    require_role(home, "party")
    show_daemon_log()
    place = Home.at(home)
    serve_party(place, passphrase(place.root, passphrase_file))


@node_command(app, "saferoom party status")
def status(node: Node) -> None:
    """Whether it is up and connected, what it holds, what runs."""
    require_role(node.home, "party")
    node.show(node.ask("status"))


@node_command(app, "saferoom party doctor")
def doctor(node: Node) -> None:
    """Look for what often goes wrong.

    Clock, certificate, network, proxy, disk, memory, permissions. Exit code 1 if a check failed.
    """
    from saferoom.jobs.home import Home
    from saferoom.node.doctor import examine

    require_role(node.home, "party")
    findings = examine(Home.at(node.home))
    node.show({"findings": [finding.to_plain() for finding in findings]}, _finding_lines)
    bad = [finding.what for finding in findings if not finding.ok]
    if bad:
        raise VerificationError(f"checks failed: {', '.join(bad)}", remedy="do what stands beside each")


def show_daemon_log() -> None:
    """What a daemon does goes to stderr, where systemd and people look for it."""
    logger = logging.getLogger("saferoom")
    logger.setLevel(min(logger.getEffectiveLevel(), logging.INFO))


def say_whether_encrypted(word: str | None) -> None:
    """Whoever makes keys without a passphrase shall know it."""
    if word is None:
        talk.print("the keys are readable by whoever can read the home; --passphrase-file encrypts them")


def _finding_lines(answer: Plain) -> Iterator[str]:
    for finding in answer["findings"]:
        yield f"{'ok  ' if finding['ok'] else 'FAIL'}  {finding['what']:<14} {finding['text']}"
