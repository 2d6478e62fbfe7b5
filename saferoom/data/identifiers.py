"""Cleaning the enterprise ids of a table: which rows may enter a job.

A row is left out when its id is missing or not valid, when it repeats another row exactly (one stays),
or when another row gives the same id other content (none stays: nobody knows which is right).

A spreadsheet's marks for text (`="00124"`, `'00124`) are taken off. An opaque id that went through a column
of numbers is read without its point (`1001.0`), and is not valid once digits were lost (`9.15101E+17`).

Enterprise codes are normalised (`ids.normalise_uscc`) and checked; tidy ones take a path that only looks
at bytes, about ten million a second. Opaque ids are compared as they stand, but for surrounding spaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.ids import USCC_LENGTH, valid_uscc_rows

MAX_OPAQUE_BYTES = 128
# What `normalise_uscc` drops: white space, control separators, dashes, zero-width marks.
_DROPPED = r"[\s\x0b\x1c-\x1f\x{85}\p{Z}\p{Pd}\p{Cf}]"
# What programs that take ids for numbers, or must not, make of them.
EXPONENT = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]{1,3}$"
LOST_DIGITS = r"^[0-9]{16,}\.0*$"
WHOLE = r"^[0-9]{1,15}\.0+$"
QUOTED = (r"^=\"[^\"]*\"$", r"^'[0-9]")
_STRANGE = r"^=\"|^'[0-9]|^[0-9]+\.0*$"
IdKind = Literal["uscc", "opaque"]
Reason = Literal["missing", "invalid", "repeated", "conflicting"]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_REASONS: tuple[Reason, ...] = ("missing", "invalid", "repeated", "conflicting")


@dataclass(frozen=True, slots=True)
class IdCounts:
    """What cleaning found, in rows. `rows` = `clean` + `missing` + `invalid` + `repeated` + `conflicting`."""

    rows: int
    clean: int
    untidy: int  # clean or repeated, after normalising
    missing: int
    invalid: int
    repeated: int
    conflicting: int


@dataclass(frozen=True, slots=True, eq=False)
class CleanIds:
    """`ids` (m,) of the rows at `positions` (m,); `reasons` (n,) int8: 0 kept, else 1 + place in _REASONS."""

    ids: NDArray[np.bytes_]
    positions: NDArray[np.int64]
    counts: IdCounts
    reasons: NDArray[np.int8]

    def rejected(self, raw: pa.Array) -> list[tuple[int, Reason, str]]:
        """(row number from 1, reason, id as it stands) of every row left out. Stays at the party."""
        rows = np.flatnonzero(self.reasons)
        texts = raw.take(pa.array(rows)).to_pylist()
        return [
            (int(row) + 1, _REASONS[self.reasons[row] - 1], text or "")
            for row, text in zip(rows, texts, strict=True)
        ]


def clean_ids(raw: pa.Array, content: NDArray[np.uint64], kind: IdKind) -> CleanIds:
    """Choose the rows that may enter a job.

    Shapes: `raw` (n,) large_string; `content` (n,) a hash of everything else in each row.
    """
    ids, valid, untidy = tidy_ids(raw, kind)
    missing = pc.is_null(raw).to_numpy(zero_copy_only=False)
    reasons = np.zeros(len(raw), dtype=np.int8)
    reasons[~valid] = 2
    reasons[missing] = 1
    candidates = np.flatnonzero(valid)
    reasons[candidates] = _repeats(ids[candidates], content[candidates])
    positions = np.flatnonzero(reasons == 0)
    found = np.bincount(reasons, minlength=5)
    counts = IdCounts(
        rows=len(raw),
        clean=len(positions),
        untidy=int(np.count_nonzero(untidy & (reasons != 4))),
        missing=int(found[1]),
        invalid=int(found[2]),
        repeated=int(found[3]),
        conflicting=int(found[4]),
    )
    return CleanIds(ids[positions], positions, counts, reasons)


def tidy_ids(raw: pa.Array, kind: IdKind) -> tuple[NDArray[np.bytes_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Normalise and check each id by itself.

    Shapes: `raw` (n,) large_string -> ids (n,), which are valid (n,), which of these were untidy (n,).
    """
    return _uscc(raw) if kind == "uscc" else _opaque(raw)


def unwrapped(raw: pa.Array, kind: IdKind) -> pa.Array:
    """Ids (n,) without a spreadsheet's marks for text; opaque ones without the point of a whole number."""
    if not pc.any(pc.match_substring_regex(raw, _STRANGE)).as_py():
        return raw
    ids = pc.replace_substring_regex(raw, pattern=r"^=\"([^\"]*)\"$", replacement=r"\1")
    ids = pc.replace_substring_regex(ids, pattern=r"^'([0-9].*)$", replacement=r"\1")
    if kind == "opaque":
        ids = pc.replace_substring_regex(ids, pattern=r"^([0-9]{1,15})\.0+$", replacement=r"\1")
    return ids


def fixed_width(ids: NDArray[np.bytes_]) -> pa.Array:
    """The same ids as an Arrow array, without copying, for hashing and look-ups."""
    ids = np.ascontiguousarray(ids)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(ids.dtype.itemsize), len(ids), [None, pa.py_buffer(ids.view(np.uint8))]
    )


_Cleaned = tuple[NDArray[np.bytes_], NDArray[np.bool_], NDArray[np.bool_]]


def _uscc(raw: pa.Array) -> _Cleaned:
    ids = np.zeros(len(raw), dtype=f"S{USCC_LENGTH}")
    valid = _fill_valid(raw, np.arange(len(raw)), ids)
    rest = np.flatnonzero(~valid)
    untidy = np.zeros(len(raw), dtype=np.bool_)
    if len(rest):
        folded = unwrapped(pc.utf8_normalize(raw.take(pa.array(rest)), form="NFKC"), "uscc")
        folded = pc.utf8_upper(pc.replace_substring_regex(folded, pattern=_DROPPED, replacement=""))
        untidy[rest] = _fill_valid(folded, rest, ids)
    return ids, valid | untidy, untidy


def _fill_valid(codes: pa.Array, rows: NDArray[np.int64], ids: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Which of `codes` are valid; write those into `ids` at their `rows`."""
    right_length = pc.fill_null(pc.equal(pc.binary_length(codes), USCC_LENGTH), False)
    places = np.flatnonzero(right_length.to_numpy(zero_copy_only=False))
    symbols = _bytes_of(codes.filter(right_length)).reshape(-1, USCC_LENGTH)
    good = valid_uscc_rows(symbols)
    valid = np.zeros(len(codes), dtype=np.bool_)
    valid[places[good]] = True
    ids[rows[places[good]]] = np.ascontiguousarray(symbols[good]).view(ids.dtype).ravel()
    return valid


def _bytes_of(texts: pa.Array) -> NDArray[np.uint8]:
    """The UTF-8 bytes of all texts, one after the other."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if data is None or len(texts) == 0:
        return np.zeros(0, dtype=np.uint8)
    return np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]


def _opaque(raw: pa.Array) -> _Cleaned:
    trimmed = pc.fill_null(unwrapped(pc.utf8_trim_whitespace(raw), "opaque"), "")
    lost = pc.match_substring_regex(trimmed, f"{EXPONENT}|{LOST_DIGITS}").to_numpy(zero_copy_only=False)
    length = pc.binary_length(trimmed).to_numpy()
    with_nul = pc.match_substring(trimmed, "\0").to_numpy(zero_copy_only=False)  # numpy would cut it off
    valid = (length > 0) & (length <= MAX_OPAQUE_BYTES) & ~with_nul & ~lost
    width = int(length[valid].max(initial=1))
    ids = np.zeros(len(raw), dtype=f"S{width}")
    ids[valid] = np.array(
        trimmed.filter(pa.array(valid)).cast(pa.large_binary()).to_pylist(), dtype=ids.dtype
    )
    changed = pc.fill_null(pc.not_equal(trimmed, raw), False).to_numpy(zero_copy_only=False)
    return ids, valid, valid & changed


def _surely_distinct(ids: NDArray[np.bytes_]) -> bool:
    """Whether all differ, told by a 64-bit hash of each; False also where two hashes happen to be equal.

    Most tables hold no id twice, and sorting numbers takes a tenth of the time of grouping bytes.
    """
    width = ids.dtype.itemsize
    padded = np.zeros((len(ids), -(-width // 8) * 8), dtype=np.uint8)
    padded[:, :width] = np.ascontiguousarray(ids).view(np.uint8).reshape(len(ids), width)
    hashes = np.zeros(len(ids), dtype=np.uint64)
    for word in padded.view(np.uint64).T:
        hashes = (hashes ^ (hashes >> np.uint64(29)) ^ word) * _ODD
    hashes.sort()
    return bool(np.all(hashes[1:] != hashes[:-1]))


def _repeats(ids: NDArray[np.bytes_], content: NDArray[np.uint64]) -> NDArray[np.int8]:
    """0 for rows to keep, 3 for exact repeats of an earlier row, 4 for rows whose id has several contents."""
    result = np.zeros(len(ids), dtype=np.int8)
    if _surely_distinct(ids):
        return result
    group = fixed_width(ids).dictionary_encode().indices.to_numpy()
    # Groups are numbered as they first appear, so a row is the first of its group when it sets a new record.
    highest_before = np.concatenate(([-1], np.maximum.accumulate(group)[:-1]))
    is_first = group > highest_before
    if is_first.all():
        return result
    first_content = content[is_first]
    differs = content != first_content[group]
    conflicting = np.zeros(len(first_content), dtype=np.bool_)
    conflicting[group[differs]] = True
    result[~is_first] = 3
    result[conflicting[group]] = 4
    return result
