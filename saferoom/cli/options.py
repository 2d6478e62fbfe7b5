"""Options that many commands share, and what their values mean."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from saferoom.environment import PASSPHRASE
from saferoom.errors import ConfigError, UsageError

LANGUAGES = ("zh", "en")
DEFAULT_HOME = Path("saferoom-home")


def default_language() -> str:
    """zh if the locale says so, otherwise en."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def _language(given: str) -> str:
    if given and given not in LANGUAGES:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(LANGUAGES)}.")
    return given or default_language()


HomeOption: TypeAlias = Annotated[
    Path, typer.Option("--home", envvar="SAFEROOM_HOME", help="The node's home folder.", show_envvar=True)
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
LangOption: TypeAlias = Annotated[
    str, typer.Option("--lang", callback=_language, help="zh or en; default: from the locale.")
]
PassphraseOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File whose first line is the keys' passphrase."),
]


def given_passphrase(file: Path | None) -> str | None:
    """From the file, or from SAFEROOM_PASSPHRASE; None if neither is given. Raises ConfigError."""
    if file is None:
        return os.environ.get(PASSPHRASE) or None
    try:
        first, *_ = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(
            f"cannot read the passphrase file {file}: {error.strerror}", remedy="check the path"
        ) from error
    except ValueError as error:  # an empty file, or one that is not text
        raise ConfigError(
            f"the passphrase file {file} has no first line of text", remedy="write the passphrase into it"
        ) from error
    return first


def passphrase(home: Path, file: Path | None) -> str | None:
    """What opens the keys in `home`: as given, or else asked for where a person sits at the terminal."""
    word = given_passphrase(file)
    if word is None and _is_encrypted(home) and sys.stdin.isatty() and sys.stderr.isatty():
        word = str(typer.prompt("passphrase of the keys", hide_input=True, err=True))
    return word


def _is_encrypted(home: Path) -> bool:
    try:
        return b"ENCRYPTED" in (home / "keys" / "signing.pem").read_bytes()
    except OSError:
        return False


def check_target(path: Path) -> None:
    """Raise UsageError unless a file can be written there; asked before work whose result goes there."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        problem = "is a folder" if path.is_dir() else "lies in a folder that is not there"
        raise UsageError(f"{path} {problem}", remedy="name a file in a folder that exists")


def text_of(path: Path, what: str) -> str:
    """A file's text. Raises ConfigError naming it."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the {what} {path}", remedy="check the path") from error
