"""A kind of source is one file and one entry of `SOURCES`; everything else asks it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest

from saferoom.data import source as reading
from saferoom.data.dataset import DatasetDescription
from saferoom.data.source import SourceReader
from saferoom.data.sources import SOURCES, SqlSource
from saferoom.data.sources.base import Access, Problem, SourceDescription, connect, streamed
from saferoom.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def _kind(source: type[SourceDescription]) -> str:
    return str(source.model_fields["kind"].default)


def test_kinds_and_endings_are_told_apart() -> None:
    kinds = [_kind(source) for source in SOURCES]
    endings = [suffix for source in SOURCES for suffix in source.suffixes]
    assert len(set(kinds)) == len(kinds)
    assert len(set(endings)) == len(endings)


def test_there_is_one_file_for_each() -> None:
    files = {path.stem for path in (ROOT / "saferoom" / "data" / "sources").glob("*_source.py")}
    assert files == {f"{_kind(source)}_source" for source in SOURCES}


def test_the_page_lists_every_kind_with_its_keys() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    table = page.split("## Sources\n", 1)[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, re.MULTILINE)
    documented = {kind: set(re.findall(r"`(\w+)`", keys)) for kind, keys in rows}
    assert documented == {_kind(source): set(source.model_fields) - {"kind"} for source in SOURCES}


def test_no_other_file_asks_which_kind_it_is() -> None:
    names = "|".join(source.__name__ for source in SOURCES)
    asking = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "saferoom").rglob("*.py")
        if path.parent.name != "sources" and re.search(rf"\b({names})\b", path.read_text(encoding="utf-8"))
    ]
    assert asking == []


class MemorySource(SourceDescription):
    """What a new kind has to bring along: three columns of text, and a stream that may break."""

    kind: Literal["memory"] = "memory"
    breaks: bool = False

    def located(self, folder: Path) -> MemorySource:
        return self

    def open(self, problem: Problem) -> Access:
        connection = connect()
        rows = pa.table({"id": ["1", "2"], "a": ["x", ""], "b": ["1", "2"]})

        def relation() -> str:
            if self.breaks:
                raise OSError("line 7: 张三 is no number")
            return streamed(connection, rows.to_reader())

        closed.clear()
        return Access(
            connection,
            rows.column_names,
            typed=False,
            relation=relation,
            on_close=lambda: closed.append(True),
        )


closed: list[bool] = []
DATASET = DatasetDescription.model_validate(
    {"name": "small", "party": "bank", "source": "d.csv", "id": "id", "id_kind": "opaque"}
)


def test_a_new_kind_is_read_through_its_own_file_alone() -> None:
    with SourceReader(DATASET, MemorySource()) as reader:
        assert reader.native == {"id": "untyped", "a": "untyped", "b": "untyped"}
        assert reader.one_row("count(*)", "a <> ''") == (1,)
        assert reader.first_row("b = '2'") == 2
        assert reader.first_row("b = '3'") is None
        assert [batch.to_pydict() for batch in reader.stream("b")] == [{"b": ["1", "2"]}]
    assert closed == [True]


def test_its_errors_are_explained_without_their_words() -> None:
    with SourceReader(DATASET, MemorySource(breaks=True)) as reader, pytest.raises(ConfigError) as caught:
        reader.one_row("count(*)")
    assert caught.value.message == "data set 'small': the memory source cannot be read (OSError)"
    assert (caught.value.party, caught.value.__cause__) == ("bank", None)


def test_a_source_is_closed_if_its_columns_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Any, names: Any) -> None:
        raise DATASET.problem("no", remedy="none")

    monkeypatch.setattr(reading.SourceReader, "unique", refused)
    with pytest.raises(ConfigError):
        SourceReader(DATASET, MemorySource())
    assert closed == [True]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///d.db", "sqlite:////data/d.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://me:secret@host/d", "postgresql://me:secret@host/d"),
    ],
)
def test_only_a_file_of_a_database_is_relative(url: str, expected: str) -> None:
    source = SqlSource(url=url, query="SELECT 1", password_file=Path("pw")).located(Path("/data"))
    assert (source.url, source.password_file) == (expected, Path("/data/pw"))


def test_a_query_without_an_order_is_warned_of() -> None:
    assert SqlSource(url="sqlite://", query="SELECT 1").remarks()
    assert not SqlSource(url="sqlite://", query="SELECT 1 Order By 1").remarks()
