"""Contracts of a wrong form: fields, roles, columns, parties, keys and witnesses that cannot be."""

from __future__ import annotations

from tests.golden.contracts import contract_of
from tests.golden.drafts import stand_alone_witness
from tests.golden.edits import GONE, Edits, one_each, together

_AUDITOR = stand_alone_witness("auditor.example")
_TAX, _BANK = (contract_of("logistic/three").to_plain()["parties"][party] for party in ("tax", "bank"))

_FIELDS = one_each(
    ("surprise", 1),
    ("format", "saferoom-contract-2"),
    ("id", GONE),
    ("id", ""),
    ("id", "../evil"),
    ("title", ""),
    ("title", "a\x1b[2J"),
    ("title", "bank\u202egnp"),
    ("title", "e\u0301"),
    ("title", " x"),
    ("purpose", 7),
    ("task/kind", "forest"),
    ("task/kind", GONE),
    ("task/split_seed", -1),
    ("task/split_seed", 2**53),
    ("task/split_seed", True),
    ("task", None),
    ("uses", []),
    ("uses", ["train", "train"]),
    ("uses", ["sell"]),
    ("trust", "none"),
    ("trust", GONE),
    ("assumptions", ["hope"]),
    ("outputs", "all"),
    ("outputs/0/form", "labels"),
    ("outputs/0/to", "Bank"),
    ("outputs/+", {"to": "bank", "form": "score"}),
    ("outputs/+", {"to": "broker", "form": "score"}),
)
_NUMBERS = one_each(
    ("minimum_rows", 1),
    ("minimum_rows", 10**9 + 1),
    ("minimum_rows", "200"),
    ("minimum_rows", True),
    ("minimum_bin_rows", -1),
    ("minimum_bin_events", 1.5),
    ("quotas", {"jobs": 1}),
    ("quotas/training_jobs", -1),
    ("quotas/scores_per_day", 2**60),
    ("retention_days", 0),
    ("retention_days", 36_501),
)
_TIMES = one_each(
    ("valid_from", "today"),
    ("expires", "2025-03-02T02:00:00Z"),
    ("expires", "2031-01-01T00:00:00"),
    ("expires", "2031-01-01T00:00:00.5Z"),
    ("expires", "2031-01-01x00:00:00Z"),
    ("expires", "20310101T000000Z"),
    ("expires", 1893456000),
    ("expires", None),
)
_LENGTHS = {
    "a long id": {"id": "x" * 101},
    "a long title": {"title": "x" * 201},
    "a long legal basis": {"legal_basis": "x" * 2001},
    "an assumption twice": {"assumptions": ["semi_honest_parties"] * 2},
    "an output twice": {"outputs/1": {"to": "bank", "form": "coefficients"}},
}
_COLUMNS = one_each(
    ("parties/tax/surprise", 1),
    ("parties/tax/organisation", GONE),
    ("parties/tax/role", "server"),
    ("parties/tax/role", "label_holder"),
    ("parties/bank/role", "feature_holder"),
    ("parties/tax/dataset", None),
    ("parties/tax/version", "abc"),
    ("parties/tax/consent_required", "yes"),
    ("parties/tax/columns", {}),
    ("parties/tax/columns", {"uscc": "id"}),
    ("parties/tax/columns/x", "mask"),
    ("parties/tax/columns/ x", "feature"),
    ("parties/tax/columns/uscc", "feature"),
    ("parties/tax/columns/tax_a", "id"),
    ("parties/tax/columns/tax_a", "label"),
    ("parties/tax/columns/tax_a", "split"),
    ("parties/tax/columns/tax_a", "weight"),
    ("parties/bank/columns/default", "feature"),
    ("parties/bank/columns/bank_a", "label"),
    ("parties/bank/columns/bank_a", "split"),
)
_PARTIES: dict[str, Edits] = {
    "two weight columns": {"parties/bank/columns/w": "weight", "parties/bank/columns/v": "weight"},
    "one party": {"parties/tax": GONE, "parties/utility": GONE},
    "nine parties": {f"parties/more-{number}": _TAX for number in range(6)},
    "a party called coordinator": {"parties/coordinator": _TAX},
    "parties called helper and coordinator": {"parties/helper": _TAX, "parties/coordinator": _TAX},
    "a party's name in capitals": {"parties/Tax": _TAX},
    "values that are secret": {
        "minimum_rows": "4711-secret",
        "retention_days": -5,
        "surprise": "secret-too",
    },
    "several contradictions": {
        "parties/tax/role": "label_holder",
        "parties/utility/columns": {"utility_a": "feature"},
        "outputs/+": {"to": "broker", "form": "score"},
        "expires": "2025-03-01T00:00:00Z",
    },
}
_KEYS: dict[str, Edits] = {
    "no keys": {"parties/tax/keys": GONE},
    "no coordinator": {"coordinator": GONE},
    "a number for a key": {"parties/tax/keys/signing": 7},
    "the bank's signing key": {"parties/tax/keys/signing": _BANK["keys"]["signing"]},
    "the bank's fingerprint": {"parties/tax/keys/fingerprint": _BANK["keys"]["fingerprint"]},
    "the bank's sealing key at the helper": {"helper/sealing": _BANK["keys"]["sealing"]},
    "a key that is too short": {"coordinator/log": "AAAA"},
    "a key that is no base64": {"parties/tax/keys/log": "?" * 44},
    "a short fingerprint": {"helper/fingerprint": "12345"},
    "a misheard fingerprint": {"helper/fingerprint": _BANK["keys"]["fingerprint"].replace("9", "8", 1)},
}
_WITNESSING = one_each(
    ("witnessing", {}),
    ("witnessing/quorum", 0),
    ("witnessing/quorum", 1),
    ("witnessing/quorum", 4),
    ("witnessing/max_age_s", 59),
    ("witnessing/witnesses/+", "broker"),
    ("witnessing/witnesses/+", "tax"),
    ("witnessing/witnesses", ["bank"]),
    ("witnessing/keys/+", "auditor.example"),
    ("witnessing/keys/+", "auditor+12345678+AAAA"),
) | {
    "a witness of another name": {"witnessing/keys/+": _AUDITOR.replace("auditor", "auditer")},
    "a witness of another type": {"witnessing/keys/+": _AUDITOR.replace("+B", "+A")},
    "a witness without a name": {"witnessing/keys/+": "+" + _AUDITOR.partition("+")[2]},
    "a witness twice": {"witnessing/keys": [_AUDITOR, _AUDITOR]},
    "no more than half": {"witnessing/keys": [_AUDITOR]},
}

FORMS = together(_FIELDS, _NUMBERS, _TIMES, _LENGTHS, _COLUMNS, _PARTIES, _KEYS, _WITNESSING)
"""Of a logistic contract."""
