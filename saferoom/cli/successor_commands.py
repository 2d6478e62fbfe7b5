"""`saferoom audit successor …`: propose, sign, open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command, own_home
from saferoom.cli.options import passphrase

app = typer.Typer(
    no_args_is_help=True,
    help="A new log after the newest entries of the old one were lost.",
    epilog="Example: saferoom audit successor propose --reason 'disk failed' --out recovery.json",
)

PaperArgument = Annotated[Path, typer.Argument(help="The paper, recovery.json.")]


@node_command(app, "saferoom audit successor propose --reason 'disk failed on 3 May' --out recovery.json")
def propose(
    node: Node,
    reason: Annotated[str, typer.Option(help="What happened, for the other parties and the auditor.")],
    out: Annotated[Path, typer.Option(help="Where to write the paper.")],
) -> None:
    """Write the paper on a successor log, at the node that lost entries.

    Send it to every other node of your contracts to be signed. Signs nothing in the old log.
    """
    from saferoom.files.private import write_private
    from saferoom.identity.keys import NodeKeys
    from saferoom.node.witnessing.successor import propose as propose_successor

    place = own_home(node.home)
    keys = NodeKeys.load(place.keys, passphrase(place.root, node.passphrase_file))
    paper = propose_successor(place, keys, reason)
    write_private(out, paper.text().encode())
    node.show({"paper": str(out), "origin": paper.body["origin"], "successor": paper.body["successor"]})


@node_command(app, "saferoom audit successor sign recovery.json")
def sign(node: Node, paper: PaperArgument) -> None:
    """Agree to another node's successor log, as one of its witnesses.

    From then on this node cosigns the successor, and the old log no more.
    """
    from saferoom.files.private import write_private
    from saferoom.node.setup import read_text

    answer = node.ask("successor.sign", paper=read_text(paper, "paper"))
    write_private(paper, str(answer.pop("paper")).encode(), replace=True)
    node.show(answer)


@node_command(app, "saferoom audit successor open recovery.json", name="open")
def open_(node: Node, paper: PaperArgument) -> None:
    """Begin the successor log once all have signed.

    The node must be down. The old files are kept beside it for the auditor.
    """
    from saferoom.node.setup import read_text
    from saferoom.node.witnessing.succession import open_successor

    place = own_home(node.home)
    word = passphrase(place.root, node.passphrase_file)
    node.show(open_successor(place, read_text(paper, "paper"), word))
