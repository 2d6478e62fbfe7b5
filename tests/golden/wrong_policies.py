"""Rules of a party's policy that contracts and jobs break, and rules that they keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.golden.contracts import contract_of
from tests.golden.drafts import NOW
from tests.golden.keys import keys_of
from tests.golden.names import Usage

Rules = dict[str, Any]

_BANK, _TAX = (keys_of(party).public().fingerprint() for party in ("bank", "tax"))

RULES: dict[str, Rules] = {
    "no rules": {},
    "other purposes": {"purposes": ["marketing"]},
    "no purpose": {"purposes": []},
    "this purpose": {"purposes": ["sme-credit"]},
    "other partners": {"partners": {"bank": None}},
    "no partners": {"partners": {}},
    "other keys of a partner": {"partners": {"bank": _TAX, "utility": None}},
    "these keys of a partner": {"partners": {"bank": _BANK.replace(" ", "-"), "utility": None}},
    "strict trust": {"trust": ["strict"]},
    "other assumptions": {"assumptions": ["semi_honest_parties"]},
    "no assumptions": {"assumptions": []},
    "never this column": {"never_columns": ["TAX_B", "bank_a"]},
    "never two columns": {"never_columns": ["uscc", "tax_a", "tax_b"]},
    "more rows": {"minimum_rows": 201},
    "as many rows": {"minimum_rows": 200},
    "more rows in a bin or leaf": {"minimum_bin_rows": 101},
    "as many rows in a bin": {"minimum_bin_rows": 100},
    "more rows in a leaf": {"minimum_bin_rows": 31},
    "as many rows in a leaf": {"minimum_bin_rows": 30},
    "more events in a bin": {"minimum_bin_events": 11},
    "as many events in a bin": {"minimum_bin_events": 10},
    "releases nothing": {"release": {}},
    "releases to the bank alone": {"release": {"bank": ["coefficients", "splits"]}},
    "releases to anybody": {"release": {"*": ["coefficients", "splits"]}},
    "releases what is asked": {
        "release": {
            "bank": ["coefficients", "splits", "score", "points", "reason_codes"],
            "*": ["coefficients", "splits"],
        }
    },
    "consent": {"consent_required": True},
    "fewer training jobs": {"training_jobs": 2},
    "as many training jobs": {"training_jobs": 3},
    "fewer scores": {"scores_per_day": 999},
    "as many scores": {"scores_per_day": 1000},
    "shorter retention": {"max_retention_days": 89},
    "shorter contracts": {"max_contract_days": 30},
    "as long contracts": {"max_contract_days": 31},
    "several at once": {"purposes": [], "never_columns": ["tax_a"], "minimum_rows": 1000, "training_jobs": 1},
}
"""Held against a contract of each kind, at the tax bureau."""
CONTRACTS = (
    "logistic/three",
    "logistic/consent-and-versions",
    "scorecard/reason-codes",
    "boosting/reason-codes",
)

MONDAY = datetime(2025, 3, 3, tzinfo=UTC)
HOURS: dict[str, tuple[Rules, float]] = {
    "8 in the morning": ({"start": "08:00", "end": "20:00"}, 0),
    "just before 8 in the evening": ({"start": "08:00", "end": "20:00"}, 11.99),
    "8 in the evening": ({"start": "08:00", "end": "20:00"}, 12),
    "just before 8 in the morning": ({"start": "08:00", "end": "20:00"}, -0.01),
    "10 at night": ({"start": "22:00", "end": "06:00"}, 14),
    "5 at night": ({"start": "22:00", "end": "06:00"}, -3),
    "10 in the morning, of a night": ({"start": "22:00", "end": "06:00"}, 2),
    "a Monday": ({"start": "08:00", "end": "20:00", "days": [1]}, 2),
    "no weekend": ({"start": "08:00", "end": "20:00", "days": [6, 7]}, 2),
    "a Tuesday there": ({"start": "00:00", "end": "12:00", "days": [2]}, 17),
}
"""When jobs may run, in Sichuan's time, and hours after midnight UTC of a Monday."""

USED = {
    "nothing used": ("train", Usage()),
    "a training job left": ("train", Usage(training_jobs=2)),
    "training jobs used up": ("train", Usage(training_jobs=3)),
    "a score left": ("score", Usage(scores_today=999)),
    "scores used up": ("score", Usage(scores_today=1000)),
    "training jobs used up, scoring": ("score", Usage(training_jobs=3)),
    "scores used up, training": ("train", Usage(scores_today=1000)),
}
"""Held against a policy of 3 training jobs and 1000 scores a day."""

MOMENTS = {
    "before it begins": NOW - timedelta(days=2),
    "at its end": contract_of("logistic/three").expires,
    "in no time zone": datetime(2025, 3, 3),
}

FILES = {
    "empty": "# nothing yet\n",
    "every rule": "purposes: [sme-credit]\npartners: {bank: ~}\ntrust: [assisted]\napproval: job\n",
    "a rule that is none": "purpose: [x]\n",
    "a text for a list": "purposes: x\n",
    "a purpose twice": "purposes: [x, x]\n",
    "a trust that is none": "trust: [none]\n",
    "an assumption that is none": "assumptions: [hope]\n",
    "one row": "minimum_rows: 1\n",
    "many rows": "minimum_rows: many\n",
    "rows of a bin below 0": "minimum_bin_rows: -1\n",
    "an approval that is none": "approval: never\n",
    "a form that is none": "release: {bank: [everything]}\n",
    "a fingerprint too short": "partners: {bank: '12345'}\n",
    "a misheard fingerprint": f"partners: {{bank: '{_BANK.replace('9', '8', 1)}'}}\n",
    "a partner that is none": "partners: {Bank: ~}\n",
    "no time of day": "hours: {start: '8', end: '20:00', utc_offset: '+08:00'}\n",
    "no offset": "hours: {start: '08:00', end: '20:00'}\n",
    "no offset but a town": "hours: {start: '08:00', end: '20:00', utc_offset: Beijing}\n",
    "a time with a zone": "hours: {start: '08:00+01:00', end: '20:00', utc_offset: '+08:00'}\n",
    "a day that is none": "hours: {start: '08:00', end: '20:00', utc_offset: '+08:00', days: [0]}\n",
    "a rule twice": "minimum_rows: 50\nminimum_rows: 2\n",
    "a list": "- a\n",
}
