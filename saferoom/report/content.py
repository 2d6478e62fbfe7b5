"""What a report can show. Everything but the title is optional: a part that is not given is left out.

The caller passes only what its reader may see: a coefficient that is not here cannot be printed. Shares
and rates run from 0 to 1, sizes are in bytes, times in seconds; texts are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from saferoom.models.metrics import CalibrationBin, Curve, LiftBin
from saferoom.scoring.grade_table import GradeRow
from saferoom.scoring.grades import GradeScheme

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """A party's line. `role`: label_holder or feature_holder. `columns`: how many columns of the data set."""

    name: str
    role: str
    organisation: str = ""
    data_set: str = ""
    rows: int | None = None
    columns: int | None = None


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """Which contract the job ran under. `trust`: assisted or strict. `digest`: SHA-256 in hexadecimal.

    `default_definition`: what counts as a default; empty where the contract does not say.
    """

    id: str
    title: str = ""
    purpose: str = ""
    legal_basis: str = ""
    trust: str = ""
    valid_until: str = ""
    minimum_rows: int | None = None
    digest: str = ""
    default_definition: str = ""


@dataclass(frozen=True, slots=True)
class RowFacts:
    """Rows held by all parties, and how they were used; default rates where labels may be told."""

    aligned: int
    train: int
    test: int
    train_default_rate: float | None = None
    test_default_rate: float | None = None


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What became of one party's data set in the job.

    `as_of`: the day it describes, empty if nobody said. `ids`: rows left out by what was wrong with their id,
    missing, invalid, conflicting or repeated. `without_consent`: rows left out for want of one, None where
    none is asked for. `rows` are left, `aligned` of them are held by all parties. `gaps`: of each own column
    the share of rows without a value. `dropped`: own columns that are not in the model, and why. `vif`: the
    last variance inflation factor of own columns, and, by party, of others' in their order, where known.
    `columns_in_model`: by party, how many prepared columns the model has of it, where known.
    """

    party: str
    rows: int
    aligned: int
    as_of: str = ""
    ids: Mapping[str, int] = field(default_factory=dict)
    without_consent: int | None = None
    gaps: Mapping[str, float] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    vif: Mapping[str, float] = field(default_factory=dict)
    vif_of_others: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    columns_in_model: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`metrics_summary` of the joint model and of the label holder alone; None where not measurable."""

    train: Figures | None = None
    test: Figures | None = None
    alone_train: Figures | None = None
    alone_test: Figures | None = None


@dataclass(frozen=True, slots=True)
class HeldOutFigures:
    """Curves and tables on the held-out rows."""

    roc: Curve
    ks_bads: Curve
    ks_goods: Curve
    ks: float
    lift: tuple[LiftBin, ...]
    calibration: tuple[CalibrationBin, ...]
    calibration_line: tuple[float, float] | None
    alone_roc: Curve | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """Points of goods and of bads: `edges` (bins + 1), and each class's shares (bins), which sum to 1."""

    edges: tuple[float, ...]
    goods: tuple[float, ...]
    bads: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Grading:
    """A grade scheme and what it did to the rows named by `rows_of`: train, test or all."""

    scheme: GradeScheme
    table: tuple[GradeRow, ...]
    rows_of: str = "test"


@dataclass(frozen=True, slots=True)
class Coefficients:
    """One party's coefficients, by prepared column, that this report's reader may see.

    `stability`: of the same columns, from training to test rows, where it was measured.
    """

    party: str
    values: Mapping[str, float]
    intercept: float | None = None
    stability: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardBin:
    """One bin of a scorecard's feature; `share` of the training rows in it.

    `estimated`: nobody told its number of events.
    """

    name: str
    share: float
    default_rate: float
    woe: float
    points: int
    rows: int | None = None
    events: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class CardFeature:
    """One feature. `stability_index` from training to held-out rows, None where none are held out.

    `p_value` of its coefficient, None where it was not computed. `iv_counted` before bins were merged,
    `iv_lost_to_trend` of that, `joined`: values that could not keep a bin of their own, each with its bin.
    """

    name: str
    iv: float
    coefficient: float
    stability_index: float | None
    bins: tuple[CardBin, ...]
    p_value: float | None = None
    wrong_sign: bool = False
    iv_counted: float | None = None
    iv_lost_to_trend: float | None = None
    joined: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One party's table of points, that this report's reader may see; `base_points` at the label holder.

    `dropped`: the columns that are not in it, and why.
    """

    party: str
    features: tuple[CardFeature, ...]
    base_points: int | None = None
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportanceLine:
    """One column of this party: splits, training rows that pass them in all trees, gain where it is known."""

    column: str
    splits: int
    cover: int
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class Importance:
    """What the trees make of one party's columns; at the label holder the gain of every party's splits."""

    party: str
    trees: int
    lines: tuple[ImportanceLine, ...]
    gains: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DisclosureLine:
    """What somebody learnt, from the log. `shape` in words or numbers; `times`: how often."""

    kind: str
    to: str
    shape: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True)
class LogVerdict:
    """What is known of one node's log. `root`: the tree's root as text; `problem`: what is wrong, in detail.

    `passed`: whether a check of the whole log found it well, and `says`, what the verdict means in Chinese
    and English; `entries` and `root` are then those of the log. None where nobody looked at it: they are
    those of the newest checkpoint that the report's party cosigned as a witness, or None and empty.
    """

    node: str
    entries: int | None = None
    root: str = ""
    problem: str = ""
    passed: bool | None = None
    says: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the job; `sent_bytes` over all links where it was measured."""

    name: str
    seconds: float
    sent_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LinkTraffic:
    """Bytes on one directed link."""

    sender: str
    receiver: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything on the page. `made_at`: date and time as text; `model_kind`: the contract's task kind.

    `grades_alone`: nobody learnt a score, so that there are no curves and no distribution. `metrics`: the
    content of metrics.json, of which the blocks `uncertainty` and `grading` say what the figures bear.
    """

    title: str
    made_at: str = ""
    version: str = ""
    job: str = ""
    model_kind: str = ""
    contract: ContractFacts | None = None
    parties: tuple[PartyFacts, ...] = ()
    rows: RowFacts | None = None
    quality: DataQuality | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    evaluation: HeldOutFigures | None = None
    distribution: Distribution | None = None
    grading: Grading | None = None
    score_stability: float | None = None
    grade_stability: float | None = None
    grades_alone: bool = False
    coefficients: tuple[Coefficients, ...] = ()
    cards: tuple[Card, ...] = ()
    importances: tuple[Importance, ...] = ()
    disclosures: tuple[DisclosureLine, ...] = ()
    logs: tuple[LogVerdict, ...] = ()
    phases: tuple[Phase, ...] = ()
    traffic: tuple[LinkTraffic, ...] = ()
