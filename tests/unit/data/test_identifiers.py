"""Cleaning ids: the vectorised way agrees with the single one, and repeats are told from conflicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.data import DatasetDescription
from saferoom.data.identifiers import clean_ids, tidy_ids
from saferoom.data.loading import read, write_report
from saferoom.ids import USCC_ALPHABET, is_valid_uscc, normalise_uscc, uscc_check_character

bodies = st.text(alphabet=USCC_ALPHABET, min_size=17, max_size=17)
codes = bodies.map(lambda body: body + uscc_check_character(body))
FULL_WIDTH = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
MARKS = " \t\n\x0b\x1c\x85\u00a0\u2003\u3000-\u2010\u2013\uff0d\u200b\ufeff"
tricks = st.sampled_from([str.lower, str.upper, lambda text: text.translate(FULL_WIDTH), lambda text: text])


@st.composite
def untidy_codes(draw: st.DrawFn) -> str:
    text = draw(tricks)(draw(codes))
    for mark in draw(st.lists(st.sampled_from(MARKS), max_size=4)):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + mark + text[place:]
    return text


def opaque_counts(rows: list[tuple[str | None, int]]) -> tuple[list[bytes], dict[str, int]]:
    raw = pa.array([row[0] for row in rows], pa.large_string())
    found = clean_ids(raw, np.array([row[1] for row in rows], dtype=np.uint64), "opaque")
    counts = {name: getattr(found.counts, name) for name in type(found.counts).__slots__}
    return found.ids.tolist(), {name: count for name, count in counts.items() if count}


@given(st.lists(st.one_of(st.none(), codes, untidy_codes(), st.text(max_size=20)), min_size=1, max_size=20))
def test_many_at_once_agree_with_one_by_one(texts: list[str | None]) -> None:
    ids, valid, untidy = tidy_ids(pa.array(texts, pa.large_string()), "uscc")
    for text, code, is_valid, is_untidy in zip(texts, ids, valid, untidy, strict=True):
        expected = None if text is None else normalise_uscc(text)
        assert is_valid == (expected is not None and is_valid_uscc(expected))
        if is_valid and expected is not None:
            assert code.decode() == expected
            assert is_untidy == (expected != text)


def test_a_sliced_array_is_read_from_its_start(make_codes: Callable[..., list[str]]) -> None:
    tidy = make_codes(5)
    ids, valid, _ = tidy_ids(pa.array(tidy, pa.large_string()).slice(2, 2), "uscc")
    assert valid.all()
    assert [i.decode() for i in ids] == tidy[2:4]


def test_an_exact_repeat_keeps_one_and_a_conflict_keeps_none() -> None:
    rows = [("a", 1), ("b", 2), ("a", 1), ("b", 3), ("c", 4), ("b", 2), ("d", 5), ("a", 1)]
    assert opaque_counts(rows) == (
        [b"a", b"c", b"d"],
        {"rows": 8, "clean": 3, "repeated": 2, "conflicting": 3},
    )


def test_missing_and_impossible_opaque_ids_are_left_out() -> None:
    rows = [(None, 1), ("", 2), ("  ", 3), ("x" * 129, 4), ("nul\0", 5), (" a ", 6), ("企业", 7)]
    assert opaque_counts(rows) == (
        [b"a", "企业".encode()],
        {"rows": 7, "clean": 2, "untidy": 1, "missing": 1, "invalid": 4},
    )


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 2)), min_size=1, max_size=30))
def test_repeats_and_conflicts_by_their_definition(rows: list[tuple[str, int]]) -> None:
    contents: dict[str, set[int]] = {}
    for name, content in rows:
        contents.setdefault(name, set()).add(content)
    kept = [name.encode() for name, found in contents.items() if len(found) == 1]
    conflicting = sum(len(contents[name]) > 1 for name, _ in rows)
    ids, counts = opaque_counts(rows)
    assert ids == kept
    assert counts.get("conflicting", 0) == conflicting
    assert counts["rows"] == len(kept) + conflicting + counts.get("repeated", 0)


def test_untidy_repeats_are_repeats_whatever_columns_are_asked(
    tmp_path: Path, make_codes: Callable[..., list[str]], make_dataset: Callable[..., DatasetDescription]
) -> None:
    first, second, third = make_codes(3)
    lines = [
        f"{first},1.0,x",
        f" {first.lower()},1,x",  # the same number, written otherwise
        f"{second},2,x",
        f"{second},2,y",
        f"{third},,",
        f"{third},,",
        "91350100M000100Y44,3,x",
    ]
    dataset = make_dataset("\n".join(["id,a,b", *lines]), id_kind="uscc")
    for columns in (None, ["a"], []):
        reading = read(dataset, columns)
        assert [i.decode() for i in reading.table.ids] == [first, third]
        assert (reading.counts.repeated, reading.counts.conflicting, reading.counts.invalid) == (2, 2, 1)
    report = tmp_path / "home" / "rejected.csv"
    write_report(report, reading.rejected)
    assert report.stat().st_mode & 0o777 == 0o600
    written = report.read_text(encoding="utf-8").splitlines()
    assert written[0] == "row,reason,id"
    assert [line.split(",")[:2] for line in written[1:]] == [
        ["2", "repeated"],
        ["3", "conflicting"],
        ["4", "conflicting"],
        ["6", "repeated"],
        ["7", "invalid"],
    ]
    assert [path.name for path in report.parent.iterdir()] == ["rejected.csv"]


@pytest.mark.parametrize("kind", ["uscc", "opaque"])
def test_nothing_valid_is_no_crash(kind: str) -> None:
    found = clean_ids(pa.array([None, "?" * 200], pa.large_string()), np.zeros(2, np.uint64), kind)  # type: ignore[arg-type]
    assert len(found.ids) == 0
    assert found.counts.rows == 2
