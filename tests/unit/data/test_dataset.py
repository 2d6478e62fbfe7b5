"""dataset.yaml: what is understood, what is refused, and that refusals repeat no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saferoom.data import describe, describe_file
from saferoom.data.sources import CsvSource, ParquetSource, SqlSource
from saferoom.errors import ConfigError

MINIMAL: dict[str, Any] = {"name": "d", "source": "d.csv", "id": "uscc", "id_kind": "uscc"}
EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "configs" / "datasets").glob("*.yaml"))


def refusal(content: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        describe(content, Path("/data"), party="bank")
    assert caught.value.party == "bank"
    assert caught.value.remedy
    return str(caught.value)


def test_a_file_name_alone_tells_its_kind_and_is_relative_to_the_folder() -> None:
    csv = describe(MINIMAL, Path("/data")).source
    assert csv == CsvSource(path=Path("/data/d.csv"))
    parquet = describe({**MINIMAL, "source": "sub/d.parquet"}, Path("/data")).source
    assert parquet == ParquetSource(path=Path("/data/sub/d.parquet"))


def test_a_sqlite_url_is_relative_to_the_folder() -> None:
    source = {"kind": "sql", "url": "sqlite:///d.db", "query": "SELECT 1"}
    described = describe({**MINIMAL, "source": source}, Path("/data")).source
    assert isinstance(described, SqlSource)
    assert described.url == "sqlite:////data/d.db"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colums": ["a"]}, "colums"),
        ({"source": "d.xls"}, ".parquet"),
        ({"source": {"kind": "word", "path": "d"}}, "source"),
        ({"source": {"kind": "csv", "path": "d.csv", "encoding": "klingon"}}, "encoding"),
        ({"id_kind": "phone"}, "id_kind"),
        ({"label": "uscc"}, "named twice: uscc"),
        ({"columns": ["a", "b", "a"]}, "named twice: a"),
        ({"columns": [{"name": "a", "type": "text"}]}, "columns.0.type"),
        ({"columns": [{"name": "a", "sensitivity": "high"}]}, "columns.0.sensitivity"),
        ({"as_of": "last year"}, "as_of"),
        ({"name": "../d"}, "name"),
    ],
)
def test_what_is_not_understood_is_refused_by_key(change: dict[str, Any], named: str) -> None:
    assert named in refusal({**MINIMAL, **change})


def test_a_wrong_url_is_not_repeated() -> None:
    source = {"kind": "sql", "url": "postgres//me:hunter2@host", "query": "SELECT 1"}
    assert "hunter2" not in refusal({**MINIMAL, "source": source})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    assert describe_file(path).name


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


def test_a_description_survives_json() -> None:
    described = describe({**MINIMAL, "columns": ["a"], "consent": {"source": "c.csv"}}, Path("/data"))
    assert type(described).model_validate_json(described.model_dump_json()) == described
