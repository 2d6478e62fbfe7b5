"""`scorecard.json` and `scorecard.csv`: one party's own table of points, for people and for other programs.

    {"format": "saferoom-scorecard-1", "party": …, "scale": {…}, "base_points": … at the label holder,
     "features": [{"name", "coefficient", "wrong_sign", "iv", "iv_counted", "iv_lost_to_trend", "joined",
         "stability_index", "bins": [{"name", "above", "up_to" | "special" | "levels" | "missing" | "other",
             …, "points"}]}]}

`iv_counted` is the information value before bins were merged, `joined` what could not keep a bin of its own.
`estimated` at a bin: nobody told its number of events, which is below the minimum or hides such a number.

Whoever has a party's rows and this file gets the points that SafeRoom gives; the total needs all parties'
points. Counts and rates are of the training rows. Both files hold edges, levels and counts: they stay at
the party.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.files.private import write_output
from saferoom.kinds.scorecard import TABLE
from saferoom.models.scorecard.binning import Bins, NumberBins
from saferoom.models.scorecard.woe_column import WoeColumn, is_wrong_sign
from saferoom.models.stability import stability_of_counts
from saferoom.scoring.scorecard import PointsTable
from saferoom.tasks.models.scorecard import ScorecardModel

JSON_FILE, CSV_FILE = f"{TABLE}.json", f"{TABLE}.csv"
FORMAT = "saferoom-scorecard-1"
CSV_COLUMNS = ("feature", "bin", "rows", "share", "events", "default_rate", "woe", "points", "note")
ESTIMATED, WRONG_SIGN = "events estimated", "wrong sign"


def save_scorecard(
    folder: Path,
    model: ScorecardModel,
    codes: NDArray[np.int64],
    is_train: NDArray[np.bool_],
    errors: NDArray[np.float64] | None = None,
) -> None:
    """Write both files, 0600. `codes` (n, d): the bins of all rows; `errors` (d,) of the coefficients."""
    card = scorecard_of(model, codes[~is_train], errors)
    write_output(folder / JSON_FILE, json.dumps(card, ensure_ascii=False, indent=1))
    write_output(folder / CSV_FILE, csv_of(card))


def scorecard_of(
    model: ScorecardModel, held_out: NDArray[np.int64], errors: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    """The table as JSON values. `held_out` (m, d): bins of the rows that training did not see; m may be 0."""
    table, preparation = model.table, model.preparation
    card: dict[str, Any] = {
        "format": FORMAT,
        "party": model.party,
        "model": model.job,
        "contract": model.contract,
        "scale": asdict(model.scale),
        "features": [
            _feature(column, float(model.coefficients[place]), table, place, held_out)
            for place, column in enumerate(preparation.columns)
        ],
        "dropped": dict(preparation.dropped),
    }
    for feature, error in zip(card["features"], () if errors is None else errors.tolist(), strict=False):
        feature.update(_significance(feature["coefficient"], error))
    return card if model.intercept is None else {**card, "base_points": table.base}


def _significance(coefficient: float, error: float) -> dict[str, float]:
    """Two-sided p-value of the hypothesis that the coefficient is 0 (Wald)."""
    p_value = math.erfc(abs(coefficient) / error / math.sqrt(2)) if error > 0 else 1.0
    return {"standard_error": error, "p_value": p_value}


def csv_of(card: dict[str, Any]) -> str:
    """One line a bin, and at the label holder one for the base points."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    if "base_points" in card:
        writer.writerow({"feature": "(base points)", "points": card["base_points"]})
    for feature in card["features"]:
        for one in feature["bins"]:
            notes = {WRONG_SIGN: feature["wrong_sign"], ESTIMATED: one.get("estimated", False)}
            note = "; ".join(words for words, holds in notes.items() if holds)
            writer.writerow({**one, "feature": feature["name"], "bin": one["name"], "note": note})
    return lines.getvalue()


def _feature(
    column: WoeColumn, coefficient: float, table: PointsTable, place: int, held_out: NDArray[np.int64]
) -> dict[str, Any]:
    counts, points = column.counts, table.features[place]
    stability = None
    if len(held_out):
        now = np.bincount(held_out[:, place], minlength=column.bins.size)
        stability = stability_of_counts(counts.rows, now)
    bins = []
    for number, (name, values) in enumerate(zip(column.names, _values(column.bins), strict=True)):
        rows, events = int(counts.rows[number]), int(counts.events[number])
        bins.append(
            {
                "name": name,
                **values,
                "rows": rows,
                "share": round(rows / int(counts.rows.sum()), 6),
                "events": events,
                "default_rate": round(events / max(rows, 1), 6),
                "woe": float(column.woe[number]),
                "points": int(points[number]),
                **({"estimated": True} if number in column.estimated else {}),
            }
        )
    return {
        "name": column.name,
        "coefficient": coefficient,
        "wrong_sign": is_wrong_sign(coefficient),
        "iv": column.iv,
        **_lost(column),
        "stability_index": stability,
        "bins": bins,
    }


def _lost(column: WoeColumn) -> dict[str, Any]:
    """What binning cost: unknown for models that were made before it was kept."""
    if column.loss is None:
        return {}
    joined = [{"what": what, "with": into} for what, into in column.loss.joined]
    return {
        "iv_counted": column.loss.iv_counted,
        "iv_lost_to_trend": column.loss.trend,
        "joined": joined,
    }


def _values(bins: Bins) -> Iterator[dict[str, Any]]:
    """What falls into each bin. Numbers: above < value <= up_to, None without limit."""
    if isinstance(bins, NumberBins):
        limits = [None, *bins.edges, None]
        for number in range(bins.size):
            found: dict[str, Any] = {}
            if number < bins.ordered:
                found = {"above": limits[number], "up_to": limits[number + 1]}
            special = [code for code, bin_ in bins.specials.items() if bin_ == number]
            found |= {"special": special} if special else {}
            yield found | ({"missing": True} if bins.missing == number else {})
        return
    for number in range(bins.size):
        levels = [level for level, bin_ in bins.levels.items() if bin_ == number]
        flags = {"missing": bins.missing == number, "other": bins.other == number}
        yield {"levels": levels, **{name: True for name, is_there in flags.items() if is_there}}
