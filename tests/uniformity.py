"""Do masked words look like noise? Chi-squared over each byte of the words, with no false alarms."""

from __future__ import annotations

from typing import Any

import numpy as np

FEWEST = 1500
MOST = 255 + 14 * np.sqrt(2 * 255)
"""Of noise the statistic has mean 255 and standard deviation 22.6. It exceeds MOST with a probability below
1e-15 for FEWEST words and more (Chernoff's bound on the 256 counts; the tail of chi-squared itself says less
than is true for so few words). One word in ten that is not masked, or a byte that is a little uneven, gives
thousands."""


def unevenness(words: Any) -> float:
    """The largest chi-squared statistic of any byte of the words (n,), n >= FEWEST."""
    assert len(words) >= FEWEST, "too few words to tell"
    even = len(words) / 256
    counts = [np.bincount(byte, minlength=256) for byte in words.view(np.uint8).reshape(len(words), -1).T]
    return max(float(((count - even) ** 2).sum() / even) for count in counts)


def looks_uniform(words: Any) -> bool:
    """Whether every byte of the words (n,), n >= FEWEST, is as even as noise."""
    return unevenness(words) < MOST
