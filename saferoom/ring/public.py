"""Draws that all parties make alike, from a public name: the same on every machine. Nothing secret.

SHAKE-256 of the name gives 64 bits a place.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def public_words(name: str, count: int) -> NDArray[np.uint64]:
    """`count` words that look uniform, (count,)."""
    return np.frombuffer(hashlib.shake_256(name.encode()).digest(8 * count), dtype="<u8")


def public_order(name: str, count: int) -> NDArray[np.int64]:
    """The numbers below `count` in an order that looks random, (count,)."""
    return np.argsort(public_words(name, count), kind="stable")


def public_share(name: str, count: int, share: float) -> NDArray[np.bool_]:
    """Each place is drawn with the chance `share`, (count,)."""
    return np.asarray((public_words(name, count) >> np.uint64(11)) * 2.0**-53 < share)
