"""What the log's words mean to a reader: the tables that name them, each as (Chinese, English).

The log's own word is always shown beside its meaning: a page must be comparable with the entry's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from saferoom.audit.entries.vocabulary import EVENTS, OUTCOME_MEANINGS, STAGE_MEANINGS
from saferoom.audit.evidence.verdict import VERDICTS, VerdictKind
from saferoom.kinds.learns import DISCLOSURES

Pair = tuple[str, str]
"""Chinese, English."""

TYPES: Mapping[str, Pair] = {word: (event.zh, event.en) for word, event in EVENTS.items()}
STAGES: Mapping[str, Pair] = {word: (zh, en.capitalize()) for word, (zh, en) in STAGE_MEANINGS.items()}
OUTCOMES: Mapping[str, Pair] = {word: (zh, en) for word, (zh, en) in OUTCOME_MEANINGS.items()}
VERDICT_PAIRS: Mapping[VerdictKind, Pair] = {kind: meaning.says for kind, meaning in VERDICTS.items()}
NOT_PROVED_PAIRS: Mapping[VerdictKind, Pair] = {kind: its.not_proved for kind, its in VERDICTS.items()}
KIND_PAIRS: Mapping[str, Pair] = {
    name: (kind.zh.meaning, kind.en.meaning) for name, kind in DISCLOSURES.items()
}
"""What each kind of disclosure tells."""


def meaning(pairs: Mapping[str, Pair], word: str, lang: str) -> str:
    """The word's meaning; the word itself if it is a newer log's."""
    pair = pairs.get(word)
    return word if pair is None else pair[lang == "en"]
