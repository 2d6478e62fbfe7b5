"""A synthetic set of small enterprises for trying SafeRoom out: a bank, a tax bureau, a power company.

Every enterprise has three hidden strengths: of its finances, of its tax record, of its operation. Each
party sees one of them through its own columns, with noise; default depends on all three, so that the
bank alone is clearly worse than the three together. The files overlap only in part, lie in different
order, have missing values, and ids written untidily or wrong. Nothing in them is real.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.errors import StorageError, UsageError
from saferoom.kinds import logistic
from saferoom.lab.codes import synthetic_codes

ID, LABEL, SPLIT = "uscc", "y", "split"
PARTIES = ("bank", "tax", "power")
MINIMUM_ROWS = 500
TEST_SHARE = 0.3
HELD = {"tax": 0.96, "power": 0.93}
UNTIDY, INVALID, MISSING = 0.04, 0.003, 0.03

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class SyntheticRoom:
    """Paths of what was written. `new` holds the bank's enterprises to be scored later, without a label."""

    bank: Path
    tax: Path
    power: Path
    new: Path
    room: Path


@dataclass(frozen=True, slots=True)
class _Enterprises:
    """Hidden strengths (n,), standard normal, correlated; size (n,), standard normal; y (n,)."""

    finances: F64
    record: F64
    operation: F64
    size: F64
    y: NDArray[np.int64]


def write_synthetic_room(
    folder: Path, *, rows: int = 12_000, new_rows: int = 2_000, seed: int = 0
) -> SyntheticRoom:
    """Write `bank.csv`, `tax.csv`, `power.csv`, `new.csv` and `room.yaml` into `folder`.

    The same bytes for the same seed. `rows` enterprises at the bank, about 89 % of them held by all three;
    about 8 % default. Raises UsageError for too few rows, StorageError if the folder cannot be written.
    """
    if rows < MINIMUM_ROWS or new_rows < 0:
        raise UsageError(f"a synthetic room needs at least {MINIMUM_ROWS} rows")
    rng = np.random.default_rng(seed)
    strangers = rows // 4
    total = rows + new_rows + strangers
    ids = synthetic_codes(total, rng)
    hidden = _draw(total, rng)
    old, new = np.arange(rows), np.arange(rows, rows + new_rows)
    split = np.where(rng.random(rows) < TEST_SHARE, "test", "train")

    bank = _bank_columns(hidden, rng)
    at_bank = {**_rows_of(bank, old), LABEL: hidden.y[old], SPLIT: split}
    paths = SyntheticRoom(
        *(folder / name for name in ("bank.csv", "tax.csv", "power.csv", "new.csv", "room.yaml"))
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(paths.bank, ids[old], at_bank, rng)
        _write(paths.new, ids[new], _rows_of(bank, new), rng)
        for path, columns in (
            (paths.tax, _tax_columns(hidden, rng)),
            (paths.power, _power_columns(hidden, rng)),
        ):
            held = np.flatnonzero(rng.random(total) < HELD[path.stem])
            _write(path, ids[held], _rows_of(columns, held), rng)
        paths.room.write_text(_ROOM, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write the synthetic data to {folder}: {error.strerror}") from error
    return paths


def _draw(count: int, rng: np.random.Generator) -> _Enterprises:
    common = rng.normal(size=count)
    finances, record, operation = (
        0.45 * common + np.sqrt(1 - 0.45**2) * rng.normal(size=count) for _ in range(3)
    )
    size = rng.normal(size=count)
    logit = -3.3 - 0.72 * finances - 0.82 * record - 0.78 * operation - 0.15 * size
    y = (rng.random(count) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    return _Enterprises(finances, record, operation, size, y)


def _bank_columns(hidden: _Enterprises, rng: np.random.Generator) -> Columns:
    health, size = hidden.finances, hidden.size
    n = len(size)
    return {
        "loan_balance_10k": _amount(4.2 + 0.8 * size - 0.1 * health + _noise(n, rng, 0.5)),
        "turnover_12m_10k": _amount(5.6 + 1.0 * size + 0.35 * health + _noise(n, rng, 0.5)),
        "credit_line_use": _share(-0.2 - 0.8 * health + _noise(n, rng, 0.9)),
        "overdraft_days_12m": rng.poisson(np.exp(0.6 - 0.8 * health)),
        "deposit_to_loan": _amount(-1.2 + 0.7 * health + _noise(n, rng, 0.8)),
        "years_with_bank": np.round(rng.gamma(2.0, 2.5, n), 1),
        "collateral": _category(("mortgage", "guarantee", "credit"), 0.3 * health, rng),
    }


def _tax_columns(hidden: _Enterprises, rng: np.random.Generator) -> Columns:
    record, size = hidden.record, hidden.size
    n = len(size)
    return {
        "invoices_12m_10k": _amount(5.4 + 1.0 * size + 0.3 * record + _noise(n, rng, 0.5)),
        "invoice_growth": np.round(0.05 + 0.12 * record + _noise(n, rng, 0.2), 3),
        "months_with_invoices": np.clip(np.rint(10 + 1.2 * record + _noise(n, rng, 1.5)), 0, 12),
        "buyers_12m": rng.poisson(np.exp(2.4 + 0.5 * size + 0.15 * record)),
        "largest_buyer_share": _share(-0.4 - 0.4 * record - 0.3 * size + _noise(n, rng, 0.7)),
        "tax_arrears_10k": np.where(
            rng.random(n) < _chance(-1.6 - 1.1 * record), _amount(0.8 + _noise(n, rng, 1)), 0
        ),
        "late_filings_24m": rng.poisson(np.exp(-0.3 - 0.8 * record)),
        "credit_level": _category(("A", "B", "M", "C", "D"), 1.3 * record, rng),
        "industry": rng.choice(["manufacturing", "retail", "construction", "catering", "services"], n),
    }


def _power_columns(hidden: _Enterprises, rng: np.random.Generator) -> Columns:
    operation, size = hidden.operation, hidden.size
    n = len(size)
    return {
        "kwh_12m": np.round(np.exp(9.5 + 1.1 * size + 0.3 * operation + _noise(n, rng, 0.6)), 0),
        "kwh_growth": np.round(0.02 + 0.15 * operation + _noise(n, rng, 0.2), 3),
        "late_payments_12m": rng.poisson(np.exp(-0.2 - 0.8 * operation)),
        "longest_arrears_days": np.rint(rng.gamma(1.2, np.exp(1.8 - 0.6 * operation))),
        "load_factor": _share(-0.3 + 0.6 * operation + _noise(n, rng, 0.6)),
        "months_without_use": rng.binomial(12, _chance(-3.2 - 0.8 * operation)),
        "tariff": _category(("general", "industrial", "agricultural"), 0.2 * size, rng),
    }


def _noise(count: int, rng: np.random.Generator, spread: float) -> F64:
    return rng.normal(0, spread, count)


def _amount(logarithm: F64) -> F64:
    return np.asarray(np.round(np.exp(logarithm), 2), dtype=np.float64)


def _chance(logit: F64) -> F64:
    return 1 / (1 + np.exp(-logit))


def _share(logit: F64) -> F64:
    shares: F64 = np.round(_chance(logit), 4)
    return shares


def _category(levels: Sequence[str], strength: F64, rng: np.random.Generator) -> NDArray[np.str_]:
    """Levels best first: the stronger, the earlier."""
    place = (len(levels) - 1) / 2 - strength + rng.normal(0, 0.7, len(strength))
    return np.asarray(levels)[np.clip(np.rint(place), 0, len(levels) - 1).astype(np.int64)]


def _rows_of(columns: Columns, rows: NDArray[np.int64]) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _write(path: Path, ids: NDArray[np.bytes_], columns: Columns, rng: np.random.Generator) -> None:
    order = rng.permutation(len(ids))
    texts = [_column_texts(name, values[order], rng) for name, values in columns.items()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([ID, *columns])
        writer.writerows(zip(_written_ids(ids[order], rng), *texts, strict=True))


def _column_texts(name: str, values: NDArray[Any], rng: np.random.Generator) -> list[str]:
    gaps = rng.random(len(values)) < (0 if name in {LABEL, SPLIT} else MISSING)
    return ["" if gap else _cell(value) for gap, value in zip(gaps, values.tolist(), strict=True)]


def _cell(value: float | int | str) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _written_ids(ids: NDArray[np.bytes_], rng: np.random.Generator) -> list[str]:
    """As people write them: some untidy (they still count), very few wrong (they are dropped)."""
    draws = rng.random(len(ids))
    return [_as_written(code.decode(), draw) for code, draw in zip(ids.tolist(), draws.tolist(), strict=True)]


def _as_written(code: str, draw: float) -> str:
    if draw < INVALID:
        return code[:-1] + ("1" if code[-1] != "1" else "2")
    if draw > UNTIDY:
        return code
    ways = (
        code.lower(),
        f"{code[:8]}-{code[8:]}",
        f" {code[:2]} {code[2:8]} {code[8:]} ",
        "".join(chr(ord(c) + 0xFEE0) for c in code),  # full-width
    )
    return ways[int(draw * 1e6) % len(ways)]


_ROOM = f"""\
room: synthetic-sichuan
label_holder: bank
parties:
  bank:  {{source: bank.csv, id: uscc, id_kind: uscc, label: y, split: split}}
  tax:   {{source: tax.csv, id: uscc, id_kind: uscc}}
  power: {{source: power.csv, id: uscc, id_kind: uscc}}
task:
  kind: {logistic.KIND.name}
  params: {{l2: 1.0}}
trust: assisted
seed: 0
"""
