"""What travels in a comparison looks like noise, whatever is compared; nothing else travels."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.protocols.comparison import deal_below, deal_below_own, share_below, share_below_own
from saferoom.sharing.values import Share
from tests.numeric_room import HELPER, Played, Room
from tests.uniformity import looks_uniform

ROWS = 40_000
ZERO = Share(np.zeros(ROWS, dtype=np.uint32), 12)
"""No party masks what it holds: only the protocol's own masks are there to hide it."""


def words_by_step(played: Played) -> dict[str, np.ndarray]:
    words, seen = defaultdict(list), set()
    for sender, receiver, message in played.messages:
        step, tensors = decode(message)
        if (
            step in ("seed", "nonce") or (sender, step) in seen
        ):  # the same words go to several peers: count them once
            continue
        seen.add((sender, step))
        assert receiver != HELPER
        label = f"{'dealt ' if sender == HELPER else ''}{step.split('/row=')[0]}"
        words[label] += [tensor.ravel() for tensor in tensors]
    return {label: np.concatenate(parts) for label, parts in words.items()}


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("is_private", [False, True])
def test_everything_that_is_said_is_uniform(k: int, is_private: bool) -> None:
    def of_own(s, d, i):
        return share_below_own(s, d, "grade", ZERO, [0, 100] if i == 0 else None, 2)

    played = Room().play(
        k,
        of_own if is_private else lambda s, d, _: share_below(s, d, "grade", ZERO, [0, 100]),
        (lambda dealer, s: deal_below_own(dealer, s, "grade", ROWS, 2))
        if is_private
        else (lambda dealer, s: deal_below(dealer, s, "grade", ROWS, 2)),
    )
    steps = words_by_step(played)
    assert steps.keys() == {
        "grade/open",
        "grade/neighbours/open",
        "grade/lower digits/open",
        "grade/higher digits/open",
        "dealt grade/digits",
        "dealt grade/neighbours/product",
        "dealt grade/lower digits/product",
        "dealt grade/higher digits/product",
    }
    opened = steps.pop("grade/open")
    assert not (opened & np.uint32(3)).any()  # the low two bits are not sent: they are shifted in
    assert looks_uniform(opened.view(np.uint8).reshape(-1, 4)[:, 1:].ravel())
    assert all(looks_uniform(words) for words in steps.values())
    assert not played.disclosures


def test_the_shares_that_come_out_are_uniform() -> None:
    played = Room().play(
        3,
        lambda s, d, _: share_below(s, d, "grade", ZERO, [100]),
        lambda dealer, s: deal_below(dealer, s, "grade", ROWS, 1),
    )
    assert all(looks_uniform(share.ravel()) for share in played.results)
