"""Golden explanations: what signers are told, in English and Chinese, of every golden contract.

    files/explained/….en.txt, ….zh.txt   the whole text
    files/rows.json                      one row of each kind of disclosure, with all its words

How the files are written anew: see `test_golden_contracts.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden.contracts import DRAFTS, contract_of
from tests.golden.names import Explanation, allowed_disclosures, explain, render_explanation
from tests.golden.store import Golden

LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", DRAFTS)
def test_the_whole_text(golden: Golden, name: str, lang: str) -> None:
    golden.holds(f"explained/{name}.{lang}.txt", render_explanation(explain(contract_of(name), lang)))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", DRAFTS)
def test_the_text_is_made_of_rows_and_warnings(name: str, lang: str) -> None:
    """In the order of the rows, and the other language's text can be had of either."""
    explanation = explain(contract_of(name), lang)
    lines = render_explanation(explanation).splitlines()
    assert [line for line in lines if line.startswith("  ! ")] == [f"  ! {w}" for w in explanation.warnings]
    told = [line.split(":")[0].removeprefix("  - ") for line in lines if line.startswith("  - ")]
    rows = [f"{row.kind} [{', '.join(row.jobs)}]" for row in explanation.rows]
    assert told == rows + sorted(contract_of(name).assumptions)
    assert {(row.kind, row.who) for row in explanation.rows} == allowed_disclosures(contract_of(name))
    other = explain(contract_of(name), "en" if lang == "zh" else "zh")
    assert render_explanation(other, lang) == render_explanation(explanation)


def test_a_row_of_each_kind(golden: Golden) -> None:
    """A kind has the same words in every contract, whoever learns it."""
    explained = [explain(contract_of(name), lang) for lang in LANGUAGES for name in DRAFTS]
    golden.holds("rows.json", words_of(explained))


def words_of(explained: list[Explanation]) -> dict[str, dict[str, Any]]:
    """By kind and language, a row's JSON values without those that differ from contract to contract."""
    found: dict[str, dict[str, Any]] = {}
    for explanation in explained:
        for row in explanation.rows:
            plain = row.to_plain() | {"who": "…", "jobs": ["…"]}
            assert found.setdefault(row.kind, {}).setdefault(explanation.lang, plain) == plain
    return dict(sorted(found.items()))
