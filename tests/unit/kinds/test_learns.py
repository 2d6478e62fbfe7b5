"""The table of disclosures is complete: in both languages, and with an extent that checks can hold."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from saferoom.errors import UsageError
from saferoom.kinds.learns import DISCLOSURES, NONE_KNOWN_EN, NONE_KNOWN_ZH, DisclosureKind, Extent

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("kind", DISCLOSURES.values(), ids=lambda kind: kind.name)
def test_every_kind_is_explained_in_both_languages(kind: DisclosureKind) -> None:
    for text in (kind.en.shape, kind.en.meaning, kind.en.abuse):
        assert text.replace("×", "x").isascii()
    for text in (kind.zh.shape, kind.zh.meaning, kind.zh.abuse):
        assert CHINESE.search(text)
    assert (kind.en.abuse == NONE_KNOWN_EN) == (kind.zh.abuse == NONE_KNOWN_ZH)
    assert (kind.wording("en"), kind.wording("zh")) == (kind.en, kind.zh)
    with pytest.raises(UsageError, match="en and zh"):
        kind.wording("fr")


def test_extents_are_those_that_checks_know() -> None:
    by_extent = {
        extent: {k.name for k in DISCLOSURES.values() if k.extent == extent} for extent in get_args(Extent)
    }
    assert by_extent.pop("list")
    assert by_extent == {
        "one": {"auc", "intercept", "range_check", "converged"},
        "rows": {"intersection", "split"},
        "scores": {"grades", "score", "points"},
        "asked": {"query"},
        "counts": {"anonymous_events", "bin_events"},
    }


def test_names_are_what_the_log_takes() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in DISCLOSURES)
    meanings = [(kind.en.meaning, kind.zh.meaning) for kind in DISCLOSURES.values()]
    assert len(set(meanings)) == len(meanings)
