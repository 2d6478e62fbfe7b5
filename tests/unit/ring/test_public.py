"""Public draws: the same everywhere, different for every name, and of the share that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.ring.public import public_order, public_share, public_words


def test_the_words_are_those_of_shake_256() -> None:
    """As `printf one | openssl dgst -shake256 -xoflen 16` gives them, eight bytes a word, lowest first."""
    assert public_words("one", 2).tolist() == [0xE584C470FB91EF8, 0xD4887BC8305511BC]


def test_an_order_holds_every_number_once_and_depends_on_the_name() -> None:
    order = public_order("one", 1000)
    assert sorted(order.tolist()) == list(range(1000))
    assert not np.array_equal(order, public_order("two", 1000))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_is_of_the_size_that_is_asked_for(share: float) -> None:
    assert abs(public_share("one", 100_000, share).mean() - share) < 0.01
