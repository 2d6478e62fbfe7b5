"""A list that only shrinks lets nothing in and holds nothing that is gone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.shrinking_list import assert_only_shrinks, write_list

ALLOWED = Counter({"tests/a.py _pipe": 2, "tests/b.py _error": 1})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "list.txt"
    file.write_text("# What is left.\n", encoding="utf-8")
    write_list(ALLOWED, file)
    return file


def test_what_the_list_allows_passes(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# What is left.\ntests/a.py _pipe 2\n")
    assert_only_shrinks(ALLOWED, file, instead="ask somebody")


@pytest.mark.parametrize("place", ["tests/a.py _pipe", "tests/c.py _pipe"])
def test_one_more_fails_and_says_where_and_what_to_do_instead(file: Path, place: str) -> None:
    with pytest.raises(AssertionError, match=rf"(?s)ask somebody.*{place}"):
        assert_only_shrinks(ALLOWED + Counter({place: 1}), file, instead="ask somebody")


@pytest.mark.parametrize("place", ALLOWED)
def test_one_fewer_fails_until_the_list_has_shrunk(file: Path, place: str) -> None:
    with pytest.raises(AssertionError, match=rf"(?s)fewer places.*{place}"):
        assert_only_shrinks(ALLOWED - Counter({place: 1}), file, instead="ask somebody")
