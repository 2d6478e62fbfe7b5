"""A `dataset.yaml` for a file that nobody has described yet: what its content suggests, and why.

Counts and row numbers stand in comments. The only texts of the data in it are column names and words for
"no value": it is for the party's own data officer.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from saferoom.data.canonical import tidy
from saferoom.data.columns import as_text, is_index
from saferoom.data.dataset import ENDINGS, DatasetDescription, describe, source_of_file
from saferoom.data.identifiers import tidy_ids
from saferoom.data.profile import MANY, MOST, Writing, look
from saferoom.data.source import SourceReader
from saferoom.data.usual import GAP_WORDS
from saferoom.errors import UsageError
from saferoom.files.yaml_text import yaml_text

_ID_NAMES = re.compile(r"(.*_)?(id|uscc|code|no)|.*(统一社会信用代码|信用代码|编号|代码|税号)", re.IGNORECASE)
_LABEL_NAMES = re.compile(r"y|label|target|default|bad|is_bad|.*(违约|逾期|标签|坏客户).*", re.IGNORECASE)
_DELIMITERS = ",;\t|"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found: how columns are written, the first rows as text, words for gaps."""

    writings: Mapping[str, Writing]
    first: Mapping[str, pa.Array]
    gap_words: Sequence[str]
    rows: int


def propose(file: Path, *, party: str = "", zone: str) -> str:
    """The text of a description. Raises UsageError, ConfigError."""
    source = _source(file)
    dataset = _dataset(file, source, party, zone)
    with SourceReader(dataset) as reader:
        found = _look(reader, dataset)
    id_, kind = _id(found.first)
    lines = [*_head(file, source, found, (id_, kind)), *_roles(found, id_), "columns:"]
    special = _special(found, id_)
    for name in found.first:
        if name not in special and not is_index(name):
            lines.append(_column(name, found.writings.get(name), found.gap_words))
    return "\n".join([*lines, ""])


def _dataset(file: Path, source: Mapping[str, Any], party: str, zone: str) -> DatasetDescription:
    """Described as far as reading needs it."""
    content = {"name": _name(file), "source": dict(source), "id": "?", "id_kind": "opaque"}
    return describe(content, file.parent, party=party, zone=zone)


def _source(file: Path) -> dict[str, Any]:
    source = source_of_file(file)
    if source is None:
        raise UsageError(f"a file to be described must end in {ENDINGS}", remedy="save it in such a form")
    found: dict[str, Any] = {"kind": source.kind, "path": file.name}
    if not file.is_file():
        raise UsageError(f"there is no file {file}", remedy="check the path")
    if source.kind == "csv":
        found |= _encoding(file)
        with file.open(encoding=found.get("encoding", "utf-8"), errors="replace", newline="") as lines:
            header = lines.readline()
        delimiter = max(_DELIMITERS, key=header.count)
        found |= {} if delimiter == "," else {"delimiter": delimiter}
    return found


def _encoding(file: Path) -> dict[str, str]:
    with file.open("rb") as content:
        if content.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return {"encoding": "utf-16"}
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with file.open("rb") as content:
                while piece := content.read(_PIECE_BYTES):
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeError:
            continue
        return {} if encoding == "utf-8" else {"encoding": encoding}
    raise UsageError("the file is neither UTF-8, UTF-16 nor GB18030 text", remedy="save it as CSV UTF-8")


def _look(reader: SourceReader, dataset: DatasetDescription) -> _Look:
    names = list(reader.native)
    writings = look(reader, dataset.cells(), names)
    texts = ", ".join(f"{as_text(name)} AS c{i}" for i, name in enumerate(names))
    first: dict[str, pa.Array] = {}
    words: dict[str, None] = {}
    rows = 0
    wanted = [i for i, name in enumerate(names) if name in writings and writings[name].gap_words]
    for batch in reader.stream(texts):
        rows += batch.num_rows
        first = first or dict(zip(names, batch.columns, strict=True))
        for place in wanted:
            for text in pc.unique(batch.column(place)).to_pylist():
                if text is not None and tidy(text).lower() in GAP_WORDS:
                    words[text] = None
    return _Look(writings, first, list(words), rows)


def _id(first: Mapping[str, pa.Array]) -> tuple[str, str]:
    """The column that most likely holds ids, and their kind."""
    shares = {}
    for name, texts in first.items():
        _, valid, _ = tidy_ids(texts.cast(pa.large_string()), "uscc")
        shares[name] = float(valid.mean()) if len(valid) else 0.0
    best = max(shares, key=lambda name: shares[name])
    if shares[best] > 0.5:
        return best, "uscc"
    distinct = [
        name for name, texts in first.items() if len(pc.unique(texts)) == len(texts) - texts.null_count > 0
    ]
    named = [name for name in (*distinct, *first) if _ID_NAMES.fullmatch(name) and not is_index(name)]
    return next(iter([*named, *distinct, *first])), "opaque"


def _special(found: _Look, id_: str) -> set[str]:
    """The columns that are no features."""
    return {name for name in (id_, _label(found, id_), _split(found, id_)) if name is not None}


def _label(found: _Look, id_: str) -> str | None:
    named = (name for name in found.first if name != id_ and _LABEL_NAMES.fullmatch(name))
    return next((name for name in named if len(pc.unique(found.first[name].drop_null())) == 2), None)


def _split(found: _Look, id_: str) -> str | None:
    for name, texts in found.first.items():
        levels = set(pc.unique(texts).to_pylist())
        if name != id_ and levels and levels <= {"train", "test"}:
            return name
    return None


def _head(file: Path, source: Mapping[str, Any], found: _Look, ids: tuple[str, str]) -> Iterator[str]:
    yield f"# Proposed from {file.name}, {found.rows} rows. Correct it, then: saferoom data add"
    yield f"name: {_scalar(_name(file))}"
    missing = {"missing": list(found.gap_words)} if found.gap_words else {}
    yield f"source: {_flow({**source, **missing})}"
    yield f"id: {_scalar(ids[0])}"
    yield f"id_kind: {ids[1]}"


def _roles(found: _Look, id_: str) -> Iterator[str]:
    label, split = _label(found, id_), _split(found, id_)
    if label is not None:
        levels = {tidy(text).lower() for text in pc.unique(found.first[label].drop_null()).to_pylist()}
        if levels <= {"0", "1", "0.0", "1.0", "true", "false"}:
            yield f"label: {_scalar(label)}  # if 1 means default"
        else:
            yield f"label: {_flow({'column': label, 'event': '?'})}  # which of its values means default?"
    if split is not None:
        yield f"split: {_scalar(split)}"


def _column(name: str, writing: Writing | None, gap_words: Sequence[str]) -> str:
    if writing is None:
        return f"  - {_flow({'name': name})}  # numbers"
    type_, why = _type(writing)
    return f"  - {_flow({'name': name, 'type': type_})}  # {why}"


def _type(writing: Writing) -> tuple[str, str]:
    if not writing.known:
        return "numeric", "no value at all"
    gaps = f", words for gaps in {writing.gap_words} rows" if writing.gap_words else ""
    said = writing.known - writing.gap_words
    if writing.zeros and writing.numbers + writing.zeros == said:
        return "categorical", f"digits, {writing.zeros} with zeros in front: codes?{gaps}"
    if said and writing.numeric == said:
        forms = f", {writing.unusual} written with {', '.join(writing.forms)}" if writing.forms else ""
        return "numeric", f"{said} numbers{forms}{gaps}"
    if said and writing.dates >= MOST * said:
        odd = "" if writing.dates == said else f"; row {_first_other(writing)} holds none"
        return "date", f"{writing.dates} of {said} values are dates{odd}{gaps}: days since 1970"
    if said and writing.numeric >= MOST * said and writing.different > MANY:
        return (
            "numeric",
            f"{writing.numeric} of {said} values are numbers, row {_first_other(writing)} is not{gaps}",
        )
    return "categorical", f"{said} values, {writing.numeric} of them numbers{gaps}"


def _first_other(writing: Writing) -> int:
    rows = [writing.first_row[kind] for kind in ("others", "dates") if kind in writing.first_row]
    return min(rows, default=0)


def _name(file: Path) -> str:
    return re.sub(r"[^\w.-]", "-", file.stem)[:64].lstrip(".-") or "data"


def _scalar(value: Any) -> str:
    return yaml_text({"k": value}).removeprefix("k: ").strip()


def _flow(content: Mapping[str, Any]) -> str:
    parts = []
    for key, value in content.items():
        text = f"[{', '.join(map(_quoted, value))}]" if isinstance(value, list) else _quoted(value)
        parts.append(f"{key}: {text}")
    return "{" + ", ".join(parts) + "}"


def _quoted(value: str) -> str:
    """A text inside braces."""
    plain = _scalar(value)
    if re.fullmatch(r"[\w.-]+", plain) and not plain.startswith("-"):
        return plain
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
