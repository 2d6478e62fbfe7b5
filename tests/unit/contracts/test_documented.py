"""docs/contracts.md names every field, rule, use, form and assumption there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from saferoom.contracts.contract import Contract, Output, Party, Quotas, Task
from saferoom.contracts.params import BoostingParams, LogisticParams, ScorecardParams
from saferoom.contracts.policy import Hours, Policy
from saferoom.contracts.vocabulary import Assumption, ColumnUse, Form, Role, Use
from saferoom.kinds.learns import DISCLOSURES

ROOT = Path(__file__).resolve().parents[3]
WORDS = {
    *(
        name
        for model in (Contract, Party, Task, LogisticParams, ScorecardParams, BoostingParams, Output, Quotas)
        for name in model.model_fields
    ),
    *(name for model in (Policy, Hours) for name in model.model_fields),
    *(word for words in (Assumption, ColumnUse, Form, Role, Use) for word in get_args(words)),
    *DISCLOSURES,
}


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_is_documented(word: str) -> None:
    text = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert re.search(rf"`{word}[`:]", text), f"docs/contracts.md does not name `{word}`"
