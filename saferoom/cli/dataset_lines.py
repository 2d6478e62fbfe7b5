"""A registered data set as people read it, in either language: a table, or where that is too wide, blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from saferoom.cli.folding import folded
from saferoom.cli.output import Plain, pair_lines, table_lines, width_of
from saferoom.data.words import PROFILE, remark_text, word

SHOWN = ("name", "type", "missing", "levels", "numbers", "unusual", "first_unusual_row")
_NO_NUMBERS = dict.fromkeys(("numbers", "unusual", "first_unusual_row"), "")
_IDS = {"rows": "rows", "clean": "clean", "untidy": "untidy", "missing": "id_missing"}


MOST = 40
"""More columns or notes than this are counted, and shown by `saferoom data profile`."""


def dataset_lines(dataset: Plain, lang: str, width: int | None, *, most: int | None = MOST) -> Iterator[str]:
    """Name, version, counts, the profile of columns, and what to look at; `most` of both, None: all."""
    counts = {
        word(PROFILE, _IDS.get(name, name), lang): count for name, count in dataset["counts"].items() if count
    }
    facts: Plain = {name: dataset.get(name) for name in ("name", "version", "train_rows", "events")}
    told = _comma(lang).join(f"{name} {count}" for name, count in counts.items())
    facts |= {"counts": told, "registered": dataset["registered_at"][:19]}
    yield from pair_lines({word(PROFILE, name, lang): value for name, value in facts.items()})
    yield ""
    as_described = {column["name"]: column.get("type") for column in dataset["description"]["columns"] or ()}
    rows = [_row(column, as_described, dataset["counts"]["clean"], lang) for column in dataset["columns"]]
    yield from _profile(rows[:most], lang, width)
    if others := rows[len(rows[:most]) :]:
        yield from folded(_rest(dataset["name"], others, lang), width, indent=2)
    yield from _notes(dataset, lang, width, most)


def _profile(rows: Sequence[Mapping[str, str]], lang: str, width: int | None) -> Iterator[str]:
    heads = {name: word(PROFILE, name, lang) for name in SHOWN}
    named = [{heads[name]: row[name] for name in SHOWN} for row in rows]
    lines = list(table_lines(named, list(heads.values()), word(PROFILE, "no_column", lang)))
    if width is None or max(map(width_of, lines)) <= width:
        yield from lines
        return
    for row in rows:
        yield row["name"]
        yield from folded("  " + _in_words(row, heads, lang), width, indent=2)


def _rest(name: str, rows: Sequence[Mapping[str, str]], lang: str) -> str:
    """How many more columns there are, by type, and how to see them."""
    types = _comma(lang).join(f"{type_} {count}" for type_, count in Counter(r["type"] for r in rows).items())
    return word(PROFILE, "more_columns", lang).format(count=len(rows), types=types, name=name)


def _notes(dataset: Plain, lang: str, width: int | None, most: int | None) -> Iterator[str]:
    notes = dataset.get("remarks") or dataset["warnings"]
    for note in notes[:most]:
        text = note if isinstance(note, str) else remark_text(note["what"], note["facts"], lang)
        yield from folded(word(PROFILE, "note", lang) + text, width, indent=2)
    if more := len(notes) - len(notes[:most]):
        told = word(PROFILE, "more_notes", lang).format(count=more, name=dataset["name"])
        yield from folded(told, width, indent=2)


def _comma(lang: str) -> str:
    return "，" if lang == "zh" else ", "


def _row(column: Plain, described: Mapping[str, Any], rows: int, lang: str) -> dict[str, str]:
    """The profile of a column, cell by cell."""
    type_ = described.get(column["name"]) or column["type"]
    return {
        "name": column["name"],
        "type": word(PROFILE, type_, lang),
        "missing": _share(column["missing"], rows),
        "levels": str(column["levels"] or ""),
        **(_numbers(column.get("writing") or {}) if type_ in ("numeric", "categorical") else _NO_NUMBERS),
    }


def _numbers(writing: Plain) -> dict[str, str]:
    """How many values say a number, and where most do, how many are not plain ones, and in which row."""
    known = writing.get("known", 0)
    if not known:
        return _NO_NUMBERS
    numbers = writing["numbers"] + writing["unusual"] + writing["zeros"]
    odd = known - writing["numbers"] if 2 * numbers >= known else 0
    first = min(writing["first_row"].values(), default="")
    return {
        "numbers": _percent(numbers, known) if numbers else "",
        "unusual": str(odd or ""),
        "first_unusual_row": str(first) if odd else "",
    }


def _in_words(row: Mapping[str, str], heads: Mapping[str, str], lang: str) -> str:
    parts = [f"{heads[name]} {row[name]}" for name in SHOWN[2:] if row[name]]
    return _comma(lang).join([row["type"], *parts])


def _share(count: int, rows: int) -> str:
    return f"{count} ({_percent(count, rows)})" if count else ""


def _percent(count: int, rows: int) -> str:
    """Never 100 % or 0 % of what is less or more than that."""
    share = 100 * count / max(rows, 1)
    if 0 < share < 0.1:
        return "<0.1 %"
    return ">99.9 %" if 99.9 < share < 100 else f"{share:.3g} %"
