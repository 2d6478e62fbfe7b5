"""Templates and words put together. All values are escaped."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from saferoom import __version__
from saferoom.audit.evidence.verdict import VerdictKind
from saferoom.console import words as dictionary
from saferoom.console.reading.entries import ShownEntry
from saferoom.console.reading.opened import OpenedLog, worst
from saferoom.console.texts import texts

_DASH = "–"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Words:
    """What the log's words mean, in one language."""

    lang: str
    t: Mapping[str, str]

    def type(self, word: str) -> str:
        return dictionary.meaning(dictionary.TYPES, word, self.lang)

    def stage(self, word: str) -> str:
        return dictionary.meaning(dictionary.STAGES, word, self.lang)

    def outcome(self, word: str) -> str:
        return dictionary.meaning(dictionary.OUTCOMES, word, self.lang)

    def kind(self, word: str) -> str:
        return dictionary.meaning(dictionary.KIND_PAIRS, word, self.lang)

    def verdict(self, kind: VerdictKind) -> str:
        return dictionary.VERDICT_PAIRS[kind][self.lang == "en"]

    def not_proved(self, kind: VerdictKind) -> str:
        return dictionary.NOT_PROVED_PAIRS[kind][self.lang == "en"]


@dataclass(frozen=True, slots=True)
class Overall:
    """The banner: the gravest verdict, or none while one is still to come."""

    kind: VerdictKind | None
    sentence: str
    not_proved: str
    checking: bool

    @classmethod
    def of(cls, logs: list[OpenedLog], words: Words) -> Overall:
        kind = worst(logs)
        checking = any(log.checking for log in logs)
        if kind is not None:
            return cls(kind, words.verdict(kind), words.not_proved(kind), checking)
        if checking:
            return cls(None, words.t["checking_long"], words.t["checking_not_proved"], True)
        return cls(
            VerdictKind.INVALID, words.t["unreadable_log"], words.not_proved(VerdictKind.INVALID), False
        )


Render = Callable[..., bytes]


class Pages:
    """The console's templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("saferoom.console", "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "number": lambda value: f"{value:,}",
            "moment": moment,
            "moment_short": lambda text: moment(text)[11:] or moment(text),
            "clock": lambda value: value.strftime("%Y-%m-%d %H:%M:%S") if value else _DASH,
            "clock_ms": clock,
            "verify_command": verify_command,
            "entry_command": entry_command,
            "reconcile_command": reconcile_command,
            "bundle_command": bundle_command,
            "export_command": export_command,
        }
        self._texts = {lang: texts(lang) for lang in ("zh", "en")}

    def words(self, lang: str) -> Words:
        return Words(lang, self._texts[lang])

    def render(self, name: str, lang: str, **values: Any) -> bytes:
        """One page in UTF-8. Texts of a hostile log that have no UTF-8 form come out as question marks."""
        t = self._texts[lang]
        page = self._environment.get_template(f"{name}.html.j2")
        text = page.render(t=t, words=self.words(lang), lang=lang, version=__version__, **values)
        return text.encode(errors="replace")


def moment(text: str) -> str:
    """`2026-01-31T08:00:00.123Z` as `2026-01-31 08:00:00.123`; a dash for none."""
    return text.replace("T", " ").removesuffix("Z") if text else _DASH


def clock(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2026-01-31 08:00:00`; a dash for none."""
    if milliseconds < 0:
        return _DASH
    return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%d %H:%M:%S")


def _key_options(log: OpenedLog) -> list[str]:
    return [part for key in log.keys if log.pinned for part in ("--key", str(key))]


def verify_command(log: OpenedLog) -> str:
    """What repeats the check of a whole log."""
    witnesses = log.quorum.witnesses if log.quorum else ()
    relied_on = [part for key in witnesses for part in ("--witness", str(key))]
    quorum = ["--quorum", str(log.quorum.needed)] if log.quorum else []
    options = [*_key_options(log), *relied_on, *quorum]
    return shlex.join(["saferoom", "audit", "verify", str(log.path), *options])


def reconcile_command(logs: list[OpenedLog]) -> str:
    """What compares the logs again."""
    keys = [option for log in logs for option in _key_options(log)]
    return shlex.join(["saferoom", "audit", "reconcile", *(str(log.path) for log in logs), *keys])


def bundle_command(logs: list[OpenedLog]) -> str:
    """What writes signed evidence of these logs into one file."""
    paths = [str(log.path) for log in logs]
    return shlex.join(["saferoom", "audit", "bundle", *paths, "--out", "evidence.zip"])


def entry_command(entry: ShownEntry) -> str:
    """What repeats the check of one entry."""
    return shlex.join(
        ["saferoom", "audit", "entry", str(entry.log.path), str(entry.index), *_key_options(entry.log)]
    )


def export_command(log: OpenedLog) -> str:
    """What writes the whole log into a folder."""
    return shlex.join(["saferoom", "audit", "export", str(log.path), "--out", f"{log.name}-log"])
