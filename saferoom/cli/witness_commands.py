"""`saferoom audit witness …`: init, trust, up, status, proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.options import given_passphrase
from saferoom.cli.output import Plain
from saferoom.cli.party_commands import say_whether_encrypted, show_daemon_log
from saferoom.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from saferoom.node.witnessing.standalone import WitnessHome

app = typer.Typer(
    no_args_is_help=True,
    help="A witness of your own, apart from all nodes.",
    epilog="Example: saferoom audit witness init example.org/auditor --home witness",
)


@node_command(app, "saferoom audit witness init example.org/auditor --home witness")
def init(
    node: Node,
    name: Annotated[str, typer.Argument(help="The name under which it cosigns, such as a domain.")],
) -> None:
    """Make a witness's folder and key, and print its verifier key.

    Have the key named in contracts (witnessing: keys), and give it to whoever checks logs.
    """
    from saferoom.node.witnessing.standalone import WitnessHome

    word = given_passphrase(node.passphrase_file)
    home = WitnessHome.create(node.home, name, word)
    node.show({"home": str(node.home), "verifier_key": home.signer(word).verifier_key})
    say_whether_encrypted(word)


@node_command(app, "saferoom audit witness trust 'saferoom/bank+…' --home witness")
def trust(
    node: Node, key: Annotated[str, typer.Argument(help="The log's verifier key: a node's log.key.")]
) -> None:
    """Witness one log more, known by its owner's key."""
    node.show({"origin": _home(node).add_log(key).name})


@node_command(app, "saferoom audit witness up --listen 127.0.0.1:7480 --home witness")
def up(
    node: Node, listen: Annotated[str, typer.Option(help="host:port to listen at.")] = "127.0.0.1:7480"
) -> None:
    """Answer C2SP's witness protocol until stopped: POST /add-checkpoint."""
    from saferoom.node.witnessing.standalone import serve_witness

    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit():
        raise UsageError("--listen is host:port", remedy="for example --listen 127.0.0.1:7480")
    show_daemon_log()
    serve_witness(_home(node), given_passphrase(node.passphrase_file), host.strip("[]"), int(port))


@node_command(app, "saferoom audit witness status --home witness")
def status(node: Node) -> None:
    """The logs it witnesses, how far, and alarms."""
    node.show(_home(node).status(), _status_lines)


@node_command(app, "saferoom audit witness proof first.txt second.txt --key 'saferoom/bank+…'")
def proof(
    node: Node,
    first: Annotated[Path, typer.Argument(help="A signed checkpoint.")],
    second: Annotated[Path, typer.Argument(help="Another one of the same size.")],
    key: Annotated[list[str], typer.Option(help="The log's verifier key.")],
) -> None:
    """Check that two signed checkpoints prove a fork.

    Exit code 0 if they do, 1 if they do not.
    """
    from saferoom.audit.formats.note import NoteVerifier
    from saferoom.audit.witness.witness import check_fork

    notes = [_text(path) for path in (first, second)]
    fork = check_fork(notes[0], notes[1], [NoteVerifier.parse(text) for text in key])
    node.show({"proved": f"{fork.origin} signed two trees of {fork.size} entries", "roots": list(fork.roots)})


def _home(node: Node) -> WitnessHome:
    from saferoom.node.witnessing.standalone import WitnessHome

    home = WitnessHome(node.home)
    home.logs()
    return home


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the checkpoint {path}", remedy="check the path") from error


def _status_lines(answer: Plain) -> Iterator[str]:
    for log in answer["logs"]:
        yield f"{log['origin']}  {'nothing yet' if log['size'] is None else str(log['size']) + ' entries'}"
    for alarm in answer["alarms"]:
        yield f"ALARM {alarm['time']}  {alarm['origin']}: {alarm['what']}"
