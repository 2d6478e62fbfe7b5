"""docs/contracts.md names every field, rule, use, form and assumption there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from saferoom.contracts.contract import ColumnUse, Contract, Output, Party, Quotas, Task
from saferoom.contracts.policy import Hours, Policy
from saferoom.kinds.learns import DISCLOSURES
from saferoom.kinds.registry import KINDS as TASK_KINDS
from saferoom.kinds.registry import form_names, role_names, use_names
from saferoom.kinds.trust import Assumption

ROOT = Path(__file__).resolve().parents[3]
WORDS = {
    *(
        name
        for model in (Contract, Party, Task, *(kind.params for kind in TASK_KINDS), Output, Quotas)
        for name in model.model_fields
    ),
    *(name for model in (Policy, Hours) for name in model.model_fields),
    *(word for words in (Assumption, ColumnUse) for word in get_args(words)),
    *form_names(),
    *role_names(),
    *use_names(),
    *DISCLOSURES,
}


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_is_documented(word: str) -> None:
    text = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert re.search(rf"`{word}[`:]", text), f"docs/contracts.md does not name `{word}`"
