"""The page's section on data quality: which rows and columns came into the model, and why not all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from saferoom.report.content import DataQuality, PartyFacts
from saferoom.report.reason_texts import reason

COLUMNS_SHOWN = 60
_IDS = ("missing", "invalid", "conflicting", "repeated")


@dataclass(frozen=True, slots=True)
class RowLine:
    """One step of the rows' way. `left_out`: these rows ended here. `share`: of the line before it."""

    key: str
    rows: int
    left_out: bool = False
    share: float | None = None


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One own column. `gap`: share of rows without a value; `why` it is not in the model, or empty."""

    name: str
    gap: float | None
    vif: float | None
    why: str


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Another party's columns: how many the contract names, how many the model has, and their factors."""

    party: str
    in_contract: int | None
    in_model: int | None
    vif: tuple[float, ...]


def row_lines(quality: DataQuality) -> Iterator[RowLine]:
    """From the rows that were read to those that all parties hold."""
    without = quality.without_consent or 0
    valid = quality.rows + without
    yield RowLine("rows_read", valid + sum(quality.ids.values()))
    for name in _IDS:
        if quality.ids.get(name):
            yield RowLine(f"ids_{name}", quality.ids[name], left_out=True)
    yield RowLine("rows_valid", valid)
    if quality.without_consent is not None:
        yield RowLine("rows_without_consent", without, left_out=True)
        yield RowLine("rows_consented", quality.rows)
    share = quality.aligned / quality.rows if quality.rows else None
    yield RowLine("rows_in_common", quality.aligned, share=share)


def column_lines(quality: DataQuality, lang: str) -> list[ColumnLine]:
    """Own columns: those left out first, then by gaps, then as they stand."""
    names = dict.fromkeys([*quality.gaps, *quality.dropped, *quality.vif])
    lines = [
        ColumnLine(
            name, quality.gaps.get(name), quality.vif.get(name), reason(quality.dropped.get(name, ""), lang)
        )
        for name in names
    ]
    return sorted(lines, key=lambda line: (not line.why, -(line.gap or 0.0)))


def other_lines(quality: DataQuality, parties: Sequence[PartyFacts]) -> list[OtherLine]:
    """What this party knows of the others' columns."""
    contract: Mapping[str, int | None] = {party.name: party.columns for party in parties}
    return [
        OtherLine(
            name,
            contract.get(name),
            quality.columns_in_model.get(name),
            tuple(quality.vif_of_others.get(name, ())),
        )
        for name in dict.fromkeys([*contract, *quality.columns_in_model, *quality.vif_of_others])
        if name != quality.party
    ]
