"""What can be seen of a played job: what was said by whom to whom, phases, facts, entries of the logs.

    transcript    for each sender and receiver, every step with types and shapes of its tensors, in order
    entries_of    what a node logged of the job, in order; disclosures are among them

Shapes that chance decides are left out: of public keys, which are texts of numbers of more or fewer digits.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from tests.golden.names import COORDINATOR, HELPER
from tests.golden.room import Job
from tests.golden.store import About
from tests.node_room import Nodes
from tests.task_room import Message

Said = tuple[tuple[str, ...], str]
"""The parts of a step's name; types and shapes."""

_NUMBERED = re.compile(r"(.+=)(\d+)")
_VOLATILE = ("event_id", "time", "software")
_LINE = {"type", "outcome", "disclosure", "stage"}
"""Keys of an entry that stand on its own line; but for the usual stages."""
_USUAL = (("stage", "sharing"),)
_COUNTED = {"part_values": 10, "part_bits": 0.3, "shown_bits": 0.3}
"""Facts that follow from coefficients, which masks leave noise in, and how far they move."""
_LONGEST_SECRET = 32
"""A seed or a key of pseudonyms has 32 bytes, always; a longer key is a public one."""


def transcript(job: Job) -> dict[str, list[Any]]:
    """By sender and receivers that heard the same."""
    said: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for message in job.played.messages:
        said[message.sender, message.receiver].append((tuple(message.label.split("/")), _shapes(message)))
    to: dict[tuple[str, str], list[str]] = defaultdict(list)
    folded = {}
    for (sender, receiver), lines in sorted(said.items()):
        found = fold(lines)
        key = sender, json.dumps(found)
        to[key].append(receiver)
        folded[key] = found
    return {f"{key[0]} → {', '.join(receivers)}": folded[key] for key, receivers in to.items()}


def fold(said: Iterable[Said]) -> list[Any]:
    """Lines of text; blocks that differ in a number alone stand once: {"pass=0…9": [lines]}."""
    found: list[Any] = []
    for head, run in groupby(said, key=lambda line: _head(line[0])):
        if head is None:
            found += [f"{'/'.join(parts)} {shapes}" for parts, shapes in run]
        else:
            found += _fold_numbered("/".join(head), len(head), run)
    return found


def _fold_numbered(head: str, place: int, run: Iterable[Said]) -> list[Any]:
    """Lines whose names go on with a number at `place`."""
    blocks: list[tuple[int, int, list[Said]]] = []
    for number, lines in groupby(run, key=lambda line: _number(line[0][place - 1])):
        rest = [(parts[place:], shapes) for parts, shapes in lines]
        if blocks and blocks[-1][1] == number - 1 and blocks[-1][2] == rest:
            blocks[-1] = (blocks[-1][0], number, rest)
        else:
            blocks.append((number, number, rest))
    return [_block(f"{head}{first}" + f"…{last}" * (last > first), rest) for first, last, rest in blocks]


def _block(name: str, rest: list[Said]) -> Any:
    lines = fold(rest)
    if len(lines) == 1 and isinstance(lines[0], str):
        return f"{name}/{lines[0]}" if rest[0][0] else f"{name}{lines[0]}"
    return {name: lines}


def _head(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """The parts up to the first number, which is left out; None if there is none."""
    for place, part in enumerate(parts):
        if match := _NUMBERED.fullmatch(part):
            return (*parts[:place], match[1])
    return None


def _number(part: str) -> int:
    match = _NUMBERED.fullmatch(part)
    assert match is not None
    return int(match[2])


def _shapes(message: Message) -> str:
    """`uint64[458, 7] bool[458]`."""
    is_key = message.label.split("/")[-1] == "key"
    sizes = [
        "[…]" if is_key and tensor.ndim == 1 and tensor.size > _LONGEST_SECRET else str(list(tensor.shape))
        for tensor in message.tensors
    ]
    return " ".join(f"{tensor.dtype}{size}" for tensor, size in zip(message.tensors, sizes, strict=True))


def entries_of(nodes: Nodes, node: str, job_id: str, names: Mapping[str, str]) -> dict[str, Any]:
    """What all entries on a job have in common, and the rest of each. `names` stand for ids of jobs."""
    events = [event for event in nodes.events(node) if event.get("session", {}).get("id") == job_id]
    plain = [_plain(event, names) for event in events]
    first = plain[0] if plain else {}
    common = {key for key in first if all(event.get(key) == first[key] for event in plain)} - _LINE
    lines = [_line({key: value for key, value in event.items() if key not in common}) for event in plain]
    return {"all": {key: first[key] for key in sorted(common)}, "each": lines}


def _plain(event: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Without time, ids, hashes and salts, which are others in every run."""
    known = {key: value for key, value in event.items() if key not in _VOLATILE}
    known["session"] = {"id": event["session"]["id"]}
    if "contract" in known:
        known["contract"] = {"id": known["contract"]["id"]}
    if "subject_commit" in known:
        known["subject_commit"] = "…"
    return named(known, names)  # type: ignore[no-any-return]


def _line(event: dict[str, Any]) -> str:
    """`type outcome: kind → recipient [shape] at step`, and what else there is."""
    words = f"{event.pop('type')} {event.pop('outcome')}"
    if what := event.pop("disclosure", None):
        words += f": {what.pop('kind')} → {what.pop('to')} {what.pop('shape')} at {what.pop('protocol')}"
        assert not what, "a disclosure has something new"
    event = {key: value for key, value in event.items() if (key, value) not in _USUAL}
    return f"{words} {event}" if event else words


def named(value: Any, names: Mapping[str, str]) -> Any:
    """JSON values in which names of jobs stand for their ids."""
    text = json.dumps(value, ensure_ascii=False)
    for job_id, name in names.items():
        text = text.replace(job_id, f"<{name}>")
    return json.loads(text)


def roles(nodes: Nodes, job: Job, names: Mapping[str, str]) -> dict[str, Any]:
    """Of each role: its phases, what it counted, its rounds, and what its node logged."""
    found = {}
    for me, context in sorted(job.contexts.items()):
        node = COORDINATOR if me == HELPER else me
        found[me] = {
            "phases": job.phases[me],
            "facts": {
                name: About(fact, _COUNTED[name]) if name in _COUNTED else fact
                for name, fact in named(context.facts, names).items()
            },
            "rounds": context.session.meter.rounds,
            "log": entries_of(nodes, node, job.played.job_id, names),
        }
    return found
