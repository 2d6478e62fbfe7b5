"""Text that is not UTF-8 is decoded in pieces, and no character is lost where one piece ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from saferoom.data import CategoryColumn, describe
from saferoom.data.loading import read
from saferoom.errors import ConfigError

MIB = 1 << 20
ENDS = [place * MIB for place in (1, 4)]  # where this reader's pieces end, and where DuckDB's would
CELLS = ["一\r\n二", "三、\U00020000", 'a"b', "𠮷é"]  # two, four and one byte a character in GB18030


def _described(folder: Path, encoding: str) -> object:
    source = {"kind": "csv", "path": "t.csv", "encoding": encoding}
    columns = [{"name": "text", "type": "categorical"}]
    return describe(
        {"name": "t", "id": "id", "id_kind": "opaque", "source": source, "columns": columns}, folder
    )


@pytest.mark.parametrize("shift", range(13))
@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_no_character_is_lost_at_the_end_of_a_piece(tmp_path: Path, encoding: str, shift: int) -> None:
    codec = "utf-16-le" if encoding == "utf-16" else encoding
    filler = ",".join(["{id}", '"' + "字" * 500 + '"\r\n'])
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in CELLS]
    content = ("\ufeff" if encoding == "utf-16" else "").encode(codec) + "id,text\r\n".encode(codec)
    expected: list[str] = []
    for end in ENDS:
        while len(content) < end - 3000:
            content += filler.format(id=f"f{len(expected)}").encode(codec)
            expected.append("字" * 500)
        line = f"x{len(expected)},{quoted[0]}\r\n".encode(codec)
        padding = end - len(content) - len(f"p{len(expected)},\r\n".encode(codec)) - len(line) + shift
        content += f"p{len(expected)},{'a' * (padding // len('a'.encode(codec)))}\r\n".encode(codec)
        expected.append("a" * (padding // len("a".encode(codec))))
        for cell in quoted:
            content += f"x{len(expected)},{cell}\r\n".encode(codec)
            expected.append(CELLS[quoted.index(cell)].replace("\r\n", "\n"))
    (tmp_path / "t.csv").write_bytes(content)
    column = read(_described(tmp_path, encoding)).table.columns["text"]  # type: ignore[arg-type]
    assert isinstance(column, CategoryColumn)
    assert [column.levels[code] for code in column.codes] == expected


def test_the_line_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    lines = [f"e{number},中文".encode("gb18030") for number in range(200_000)]
    lines[150_000] = b"e150000,\xff\xff"
    (tmp_path / "t.csv").write_bytes(b"\n".join([b"id,text", *lines]))
    with pytest.raises(ConfigError, match=r"is not gb18030 text \(line 150002\)"):
        read(_described(tmp_path, "gb18030"))  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("header", ["id,text", '"id","text"', '"id",text'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(
    tmp_path: Path, encoding: str, header: str, mark: str
) -> None:
    codec = encoding.removesuffix("-sig")
    (tmp_path / "t.csv").write_bytes(f'{mark}{header}\r\ne1,中\r\n"e2",文\r\n'.encode(codec))
    assert read(_described(tmp_path, encoding)).table.ids.tolist() == [b"e1", b"e2"]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["id,text\r\na,1\nb,2\r\n", "id,text\na,1\r\nb,2\n", "id,text\na,1\rb,2\n"])
def test_lines_that_end_in_different_ways_are_called_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode())
    with pytest.raises(ConfigError, match="its lines end in different ways"):
        read(_described(tmp_path, "utf-8"))  # type: ignore[arg-type]


def test_line_ends_within_quoted_cells_are_the_cells_own(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'id,text\r\na,"x\ny"\r\nb,"u\rv"\r\nc,q\r\n')
    column = read(_described(tmp_path, "utf-8")).table.columns["text"]  # type: ignore[arg-type]
    assert isinstance(column, CategoryColumn)
    assert [column.levels[code] for code in column.codes] == ["x\ny", "u\rv", "q"]
