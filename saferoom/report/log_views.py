"""What nodes learnt, and what is known of their logs, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from saferoom.kinds.learns import DISCLOSURES
from saferoom.report.content import DisclosureLine, LogVerdict
from saferoom.report.remarks import MARKS, Tone

Words = Mapping[str, str]
State = Literal["well", "own", "problem"]
SIZES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Learner:
    """Who learnt something, how large it was, and how often."""

    to: str
    sizes: str
    times: int


@dataclass(frozen=True, slots=True)
class Learnt:
    """One kind of disclosure: its meaning in the reader's language, and who learnt it."""

    meaning: str
    by: tuple[Learner, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One node's log. `words`: the verdict, or why there is none."""

    log: LogVerdict
    tone: Tone
    words: str


def learnt(lines: Sequence[DisclosureLine], lang: str) -> list[Learnt]:
    """Grouped by kind, in the order in which contracts name them; a newer version's kind by its own word."""
    order = list(DISCLOSURES)
    kinds = sorted({line.kind for line in lines}, key=lambda kind: (_place(order, kind), kind))
    return [
        Learnt(
            DISCLOSURES[kind].wording(lang).meaning if kind in DISCLOSURES else kind,
            tuple(_learners([line for line in lines if line.kind == kind])),
        )
        for kind in kinds
    ]


def log_lines(logs: Sequence[LogVerdict], t: Words, lang: str) -> list[LogLine]:
    """Green only where the whole log was checked."""
    return [LogLine(log, *_verdict(log, t, lang)) for log in logs]


def state_of(logs: Sequence[LogVerdict]) -> State:
    """`own`: not every node's log was looked at."""
    if any(map(_is_bad, logs)):
        return "problem"
    return "well" if all(log.passed for log in logs) else "own"


def _verdict(log: LogVerdict, t: Words, lang: str) -> tuple[Tone, str]:
    says = log.says[lang == "en"]
    if _is_bad(log):
        found = [text for text in (says, log.problem) if text]
        return "bad", f"{MARKS['bad']} {' · '.join(found)}"
    if log.passed:
        found = [text for text in (t["all_well"], says) if text]
        return "good", f"{MARKS['good']} {' · '.join(found)}"
    return "grey", f"{MARKS['grey']} {t['log_not_seen' if log.entries is None else 'log_cosigned']}"


def _is_bad(log: LogVerdict) -> bool:
    return bool(log.problem) or log.passed is False


def _place(order: Sequence[str], kind: str) -> int:
    return order.index(kind) if kind in order else len(order)


def _learners(lines: Sequence[DisclosureLine]) -> list[Learner]:
    ordered = sorted(lines, key=lambda line: line.to)
    found = []
    for to, mine in groupby(ordered, key=lambda line: line.to):
        group = list(mine)
        found.append(Learner(to, _sizes([line.shape for line in group]), sum(line.times for line in group)))
    return found


def _sizes(shapes: Sequence[str]) -> str:
    """All of a few, the ends of many; rows are logged as ranges."""
    distinct = sorted({shape for shape in shapes if shape}, key=_numbers)
    shown = distinct if len(distinct) <= SIZES_SHOWN else [distinct[0], "…", distinct[-1]]
    return ", ".join(map(_readable, shown)).replace(", …, ", " … ")


def _numbers(shape: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", shape)]


def _readable(shape: str) -> str:
    grouped = re.sub(r"\d{4,}", lambda found: f"{int(found[0]):,}", shape)
    return re.sub(r"(?<=\d)-(?=\d)", "–", grouped)
