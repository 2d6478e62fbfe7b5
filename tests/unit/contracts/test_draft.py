"""Drafts: what is filled in, what is not, and what a draft may not say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from saferoom.errors import ConfigError, RefusedError
from saferoom.files.yaml_text import read_yaml

EXAMPLES = Path(__file__).resolve().parents[3] / "configs" / "contracts"


def test_what_is_left_out_is_filled_in(house: Any) -> None:
    draft = house.draft()
    for name in ("expires", "valid_from", "minimum_rows", "quotas", "retention_days", "outputs"):
        draft.pop(name)
    contract = house.contract_of(draft)
    assert contract.valid_from == house.now
    assert contract.expires == house.now + timedelta(days=365)
    assert contract.trust == "assisted"
    assert set(contract.uses) == {"train", "score_batch", "score_one", "grade"}
    assert {(o.to, o.form) for o in contract.outputs} == {
        ("bank", "coefficients"),
        ("tax", "coefficients"),
        ("utility", "coefficients"),
        ("bank", "grade_only"),
    }
    assert contract.grading is not None
    assert contract.grading.model_dump() == {
        "names": ("A", "B", "C", "D"),
        "by": "pd",
        "cuts": (0.03, 0.08, 0.2),
    }


@pytest.mark.parametrize(
    ("kind", "told"), [("logistic", "grade_only"), ("scorecard", "grade_only"), ("boosting", "score")]
)
def test_where_no_score_is_asked_for_none_is_released(house: Any, kind: str, told: str) -> None:
    draft = house.draft(task={"kind": kind})
    del draft["outputs"]
    contract = house.contract_of(draft)
    assert [output.form for output in contract.outputs][3:] == [told]
    assert (contract.grading is not None) == (told == "grade_only")


def test_assumptions_are_never_filled_in(house: Any) -> None:
    draft = house.draft()
    del draft["assumptions"]
    with pytest.raises(RefusedError, match="helper_does_not_collude is not accepted"):
        house.contract_of(draft)


def test_days_or_a_date(house: Any) -> None:
    draft = house.draft(valid_from="2025-03-01T08:00:00+08:00", valid_days=10)
    with pytest.raises(ConfigError, match="either"):
        house.contract_of(draft)
    del draft["expires"]
    contract = house.contract_of(draft)
    assert contract.to_plain()["valid_from"] == "2025-03-01T00:00:00Z"
    assert contract.to_plain()["expires"] == "2025-03-11T00:00:00Z"


@pytest.mark.parametrize(
    "changes",
    [
        {"helper": {}},
        {"coordinator": {}},
        {"format": "saferoom-contract-1"},
        {"parties": None},
        {"parties": {"bank": None}},
        {"parties": []},
        {"valid_days": 0},
        {"valid_days": "ten"},
        {"valid_from": "tomorrow"},
        {"valid_from": "2025-03-01T08:00:00"},
        {"surprise": 1},
    ],
)
def test_what_a_draft_may_not_say(house: Any, changes: dict[str, Any]) -> None:
    draft = house.draft(**changes)
    if "valid_days" in changes:
        del draft["expires"]
    with pytest.raises(ConfigError):
        house.contract_of(draft)


def test_keys_come_from_the_enrolment_alone(house: Any) -> None:
    draft = house.draft()
    draft["parties"]["tax"]["keys"] = {}
    with pytest.raises(ConfigError, match="keys"):
        house.contract_of(draft)


def test_a_party_that_is_not_enrolled_is_named(house: Any) -> None:
    draft = house.draft()
    draft["parties"]["power"] = draft["parties"].pop("tax")
    with pytest.raises(ConfigError, match="not enrolled") as caught:
        house.contract_of(draft)
    assert caught.value.party == "power"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_valid_drafts(house: Any, path: Path) -> None:
    house.contract_of(read_yaml(path, "draft"))


def test_there_are_examples() -> None:
    assert len(list(EXAMPLES.glob("*.yaml"))) >= 2
