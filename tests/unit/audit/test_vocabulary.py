"""The words of the log: each explained in both languages, none used by a node that is not among them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from saferoom.audit.entries.vocabulary import (
    EVENTS,
    OUTCOME_MEANINGS,
    OUTCOMES,
    STAGE_MEANINGS,
    STAGES,
    EventWord,
    Outcome,
    Stage,
)
from saferoom.audit.evidence.verdict import VERDICTS, VerdictKind

ROOT = Path(__file__).resolve().parents[3]
CHINESE = re.compile("[\u4e00-\u9fff]")
RECORDING = ("record", "event")


def test_the_closed_words_are_whole() -> None:
    assert get_args(Stage) == STAGES
    assert get_args(Outcome) == OUTCOMES
    assert {event.stage for event in EVENTS.values()} == set(STAGES)
    assert set(VERDICTS) == set(VerdictKind)


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.word)
def test_every_event_is_explained(event: EventWord) -> None:
    assert CHINESE.search(event.zh)
    assert event.en.isascii() and event.en[0].isupper()


def test_stages_outcomes_and_verdicts_are_explained() -> None:
    verdicts = [pair for its in VERDICTS.values() for pair in (its.says, its.not_proved)]
    for meaning in (*STAGE_MEANINGS.values(), *OUTCOME_MEANINGS.values(), *verdicts):
        assert CHINESE.search(meaning.zh)
        assert meaning.en.isascii()


def test_no_event_is_listed_twice() -> None:
    """A word that stood twice in the table would silently keep its last line."""
    source = (ROOT / "saferoom" / "audit" / "entries" / "vocabulary.py").read_text(encoding="utf-8")
    assert source.count("    EventWord(") == len(EVENTS)
    meanings = [(event.zh, event.en) for event in EVENTS.values()]
    assert len(set(meanings)) == len(meanings)


def _recorded() -> Iterator[str]:
    """Every type of event that stands as a text in a call of `record` or `event`."""
    for path in sorted((ROOT / "saferoom").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = node.args[0]
            if node.func.attr in RECORDING and isinstance(first, ast.Constant):
                yield str(first.value)


def test_what_nodes_record_is_in_the_table() -> None:
    found = set(_recorded())
    assert len(found) > 25
    assert found - set(EVENTS) == set()
