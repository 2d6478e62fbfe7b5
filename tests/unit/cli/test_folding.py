"""Lines in pieces: nothing is lost, nothing is too long, no word is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from saferoom.cli.folding import folded
from tests.property import examples

ENGLISH = "note: 320 ids are whole numbers written with a point (as a column with gaps is): they are read so"
CHINESE = "注意：列“money”：400 个数中有 400 个写法特殊（人民币符号或“元”、千位分隔符），首见于第 1 行"


@pytest.mark.parametrize("width", [24, 40, 60])
def test_english_is_cut_between_words(width: int) -> None:
    pieces = list(folded(ENGLISH, width, indent=2))
    assert " ".join(piece.strip() for piece in pieces) == ENGLISH
    assert max(map(cell_len, pieces)) <= width
    assert [piece[:2] for piece in pieces[1:]] == ["  "] * (len(pieces) - 1)


@pytest.mark.parametrize("width", [24, 40, 60])
def test_chinese_fills_its_lines_and_no_mark_begins_one(width: int) -> None:
    pieces = list(folded(CHINESE, width, indent=2))
    compact = "".join(pieces).replace(" ", "")
    assert compact == CHINESE.replace(" ", "")
    assert max(map(cell_len, pieces)) <= width
    assert min(map(cell_len, pieces[:-1])) > width - 12
    assert not any(piece.strip()[0] in "，。、；：）”" or piece[-1] in "（“" for piece in pieces)


def test_what_fits_and_what_a_pipe_gets_stay_whole() -> None:
    assert list(folded(ENGLISH, None, indent=2)) == [ENGLISH]
    assert list(folded("  short", 60, indent=2)) == ["  short"]
    assert list(folded("  a sha256:0123456789 b", 10, indent=2)) == ["  a", "  sha256:0123456789", "  b"]


@given(st.text("ab  ,(中“”。）", max_size=40), st.integers(8, 30))
@examples(200)
def test_nothing_is_lost(text: str, width: int) -> None:
    compact = "".join("".join(folded(text, width, indent=2)).split())
    assert compact == "".join(text.split())
