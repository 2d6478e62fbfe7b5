"""A part of a credit that does not fit what is compared is refused before anything is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from saferoom.errors import UsageError
from saferoom.scoring.grade_cuts import MOST_CREDIT
from saferoom.tasks.steps.grades import share_credit


@pytest.mark.parametrize("wrong", [MOST_CREDIT // 3, -(MOST_CREDIT // 3), np.iinfo(np.int64).min])
def test_a_part_that_is_too_large_is_refused(wrong: int) -> None:
    context = SimpleNamespace(session=SimpleNamespace(parties=("a", "b", "c")))
    model = SimpleNamespace(credit=lambda rows: np.array([0, wrong]))
    with pytest.raises(UsageError, match="far too large to be graded"):
        share_credit(cast(Any, context), cast(Any, model), cast(Any, None))
