"""`saferoom contract …`: draft, explain, review, approve, refuse, show, list, revoke."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer
import yaml

from saferoom.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    LangOption,
    ask,
    default_language,
    results,
    show,
    show_table,
)
from saferoom.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Data-use agreements.", epilog="Example: saferoom contract list")

ContractArgument = Annotated[str, typer.Argument(help="The contract's id, or its beginning.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is logged and sent to the others.")]


@app.command()
def draft(file: Path, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Make a contract from a YAML draft and send it to its parties (coordinator)."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the draft {file}", remedy="check the path and the YAML") from error
    answer = ask(home, "contract.draft", {"draft": content})
    show(answer if as_json else {key: answer[key] for key in ("id", "state", "hash", "parties")}, as_json)


@app.command("list")
def list_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """All contracts this node knows."""
    rows = ask(home, "contract.list")["contracts"]
    show_table(rows, ["id", "state", "title", "parties", "signed", "reason"], as_json)


@app.command("show")
def show_(contract: ContractArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """One contract: its text, its signatures, the fingerprints it pins."""
    answer = ask(home, "contract.show", {"contract": contract})
    if as_json:
        show(answer, as_json)
        return
    results.print(yaml.safe_dump(answer, allow_unicode=True, sort_keys=False), markup=False)


@app.command()
def explain(
    contract: ContractArgument,
    home: HomeOption = DEFAULT_HOME,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """Who will learn what under this contract, in which shape, and how it could be abused."""
    answer = ask(home, "contract.explain", {"contract": contract, "lang": lang or default_language()})
    if as_json:
        show(answer, as_json)
    else:
        results.print(answer["text"], markup=False)


@app.command()
def review(
    contract: ContractArgument,
    home: HomeOption = DEFAULT_HOME,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """The explanation, the fingerprints to read out, and what the party's policy says."""
    answer = ask(home, "contract.review", {"contract": contract, "lang": lang or default_language()})
    if as_json:
        show(answer, as_json)
        return
    results.print(answer["text"], markup=False)
    for node, fingerprint in ask(home, "contract.show", {"contract": contract})["fingerprints"].items():
        results.print(f"{node:>16}  {fingerprint}", markup=False)
    reasons = answer["policy"]
    results.print("policy: " + ("allows it" if not reasons else "; ".join(reasons)), markup=False)


@app.command()
def approve(contract: ContractArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Sign the contract for this party. Compare the fingerprints by telephone first."""
    _decided(home, "contract.approve", {"contract": contract, "by": _who()}, as_json)


@app.command()
def refuse(
    contract: ContractArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Refuse the contract for this party."""
    _decided(home, "contract.refuse", {"contract": contract, "reason": reason, "by": _who()}, as_json)


@app.command()
def revoke(
    contract: ContractArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """End the contract for everybody; its running jobs stop."""
    _decided(home, "contract.revoke", {"contract": contract, "reason": reason, "by": _who()}, as_json)


def _decided(home: Path, verb: str, args: dict[str, str], as_json: bool) -> None:
    answer = ask(home, verb, args)
    show(answer if as_json else {key: answer[key] for key in ("id", "state", "signed", "reason")}, as_json)


def _who() -> str:
    return getpass.getuser()
