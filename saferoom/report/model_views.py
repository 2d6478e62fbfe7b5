"""A party's part of a model as tables: coefficients, scorecard, trees; largest first, with widths of bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saferoom.models.stability import STABLE
from saferoom.report.content import Card, Coefficients, Importance

COEFFICIENTS_SHOWN = 40
SUSPICIOUS_IV = 0.5
"""A column that tells so much about the default may have been made from it."""


def coefficient_lines(part: Coefficients) -> dict[str, Any]:
    """A party's largest coefficients, each with its share of the largest for a bar."""
    largest = max((abs(value) for value in part.values.values()), default=0.0) or 1.0
    ordered = sorted(part.values.items(), key=lambda item: -abs(item[1]))
    return {
        "part": part,
        "lines": [
            (name, value, 50 * abs(value) / largest, part.stability.get(name))
            for name, value in ordered[:COEFFICIENTS_SHOWN]
        ],
        "left_out": max(len(ordered) - COEFFICIENTS_SHOWN, 0),
    }


def card_lines(card: Card, factors: Mapping[str, float]) -> dict[str, Any]:
    """Features by information value, each with its bins and the bars' widths; range of points of each.

    `factors`: variance inflation by feature, where they are known.
    """
    most = max((abs(one.points) for feature in card.features for one in feature.bins), default=0) or 1
    features = sorted(card.features, key=lambda feature: -feature.iv)
    return {
        "card": card,
        "p_values": any(feature.p_value is not None for feature in features),
        "counted": any(feature.iv_counted is not None for feature in features),
        "with_vif": any(feature.name in factors for feature in features),
        "suspicious": [feature.name for feature in features if feature.iv > SUSPICIOUS_IV],
        "estimated": any(one.estimated for feature in features for one in feature.bins),
        "wrong_signs": [feature.name for feature in features if feature.wrong_sign],
        "joined": [(feature.name, *pair) for feature in features for pair in feature.joined],
        "features": [
            {
                "feature": feature,
                "range": max(one.points for one in feature.bins) - min(one.points for one in feature.bins),
                "bins": [(one, 50 * abs(one.points) / most) for one in feature.bins],
                "shifted": feature.stability_index is not None and feature.stability_index > STABLE,
                "suspicious": feature.iv > SUSPICIOUS_IV,
                "vif": factors.get(feature.name),
            }
            for feature in features
        ],
    }


def importance_lines(one: Importance) -> dict[str, Any]:
    """Columns and parties, each with its share of the largest for a bar: of gain, or else of rows."""
    weights = [line.cover if line.gain is None else line.gain for line in one.lines]
    largest, most = max(weights, default=0) or 1, sum(one.gains.values()) or 1
    lines = list(zip(one.lines, [100 * weight / largest for weight in weights], strict=True))
    return {
        "part": one,
        "lines": lines[:COEFFICIENTS_SHOWN],
        "left_out": max(len(lines) - COEFFICIENTS_SHOWN, 0),
        "with_gain": any(line.gain is not None for line in one.lines),
        "gains": [(party, gain, gain / most) for party, gain in one.gains.items()],
    }
