"""The same tests by either arithmetic."""

from __future__ import annotations

import pytest

from saferoom.he import lanes_kernel, quickest


@pytest.fixture(params=["one by one", "lanes"])
def arithmetic(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """In this process, products are made by GMP alone, or wherever possible by the vectorised code."""
    kind: str = request.param
    if kind == "one by one":
        monkeypatch.setattr(lanes_kernel, "available", lambda: False)
    elif not lanes_kernel.available():
        pytest.skip("the vectorised code needs AVX-512 IFMA, and llvmlite")
    for threshold in ("WORTHWHILE", "WORTH_CALLING"):
        monkeypatch.setattr(quickest, threshold, 0)
    return kind
