"""Every word in both languages, every sentence used, every file of others with its licence."""

from __future__ import annotations

import re
import string
from pathlib import Path

import saferoom.console
from saferoom.audit.entries.vocabulary import EVENT_TYPES, OUTCOMES, STAGES
from saferoom.audit.evidence.verdict import VerdictKind
from saferoom.console import words
from saferoom.console.reading.search import Query
from saferoom.console.texts import TEXTS, texts
from saferoom.kinds.learns import DISCLOSURES

ROOM = Path(saferoom.console.__file__).parent


def _sources() -> str:
    files = [*ROOM.rglob("*.py"), *ROOM.glob("pages/*.j2")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.name != "texts.py")


def test_every_word_of_the_log_is_explained() -> None:
    assert set(words.TYPES) == EVENT_TYPES
    assert tuple(words.STAGES) == STAGES
    assert tuple(words.OUTCOMES) == OUTCOMES
    assert set(words.VERDICT_PAIRS) == set(words.NOT_PROVED_PAIRS) == set(VerdictKind)
    assert set(words.KIND_PAIRS) == set(DISCLOSURES)
    tables = (words.TYPES, words.STAGES, words.OUTCOMES, words.VERDICT_PAIRS, words.KIND_PAIRS)
    for table in tables:
        for chinese, english in table.values():
            assert re.search("[\u4e00-\u9fff]", chinese)
            assert english.isascii()
            assert english[0].isupper() or table is words.KIND_PAIRS


def test_words_that_are_not_known_stay_as_they_are() -> None:
    assert words.meaning(words.TYPES, "future.event", "zh") == "future.event"


def test_both_languages_fill_in_the_same_values() -> None:
    for key, pair in TEXTS.items():
        assert all(pair), key
        names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in pair]
        assert names[0] == names[1], key


def test_every_sentence_is_used_and_there() -> None:
    source = _sources()
    named = set(re.findall(r"\bt\.(\w+)", source)) - {"get", "items", "keys"}
    named |= set(re.findall(r"""\bt\[["'](\w+)["']\]""", source))
    assert named <= set(TEXTS)
    composed = re.compile(
        r"(nav|filter|contract|held|why|finding|cosigner)_\w+|sent|received|relayed|not_found|error"
    )
    assert {key for key in TEXTS if key not in named and not composed.fullmatch(key)} == set()


def test_every_filter_has_a_name() -> None:
    assert {f"filter_{name}" for name in Query.__slots__} <= set(TEXTS)


def test_no_key_hides_a_method() -> None:
    assert [key for key in TEXTS if hasattr(texts("en"), key)] == []


def test_files_of_others_have_their_licence() -> None:
    static = ROOM / "static"
    notice = (static / "licences" / "README.md").read_text(encoding="utf-8")
    for name in ("htmx.min.js", "uplot.min.js", "uplot.min.css"):
        assert f"`{name}`" in notice
        assert (static / name).stat().st_size > 1000
    for licence in re.findall(r"`(\w+\.txt)`", notice):
        assert (static / "licences" / licence).stat().st_size > 300


def test_scripts_and_styles_load_nothing_from_elsewhere() -> None:
    for path in (ROOM / "static").glob("console.*"):
        assert not re.search(r"https?://|@import|url\(", path.read_text(encoding="utf-8"))
