"""One shared bit that all learn: the parties, and from the first of them the helper, which deals on."""

from __future__ import annotations

import numpy as np

from saferoom.arrays import Bits
from saferoom.channel.session import Session
from saferoom.protocols.shared_bits import open_bit


def tell_bit(s: Session, label: str, bit: Bits, *, kind: str) -> bool:
    """bit (1,) uint8, in its last place. The disclosure `kind` to every party and helper."""
    told = open_bit(s, label, bit, kind=kind)
    for helper in s.helpers:
        if s.is_first:
            s.disclose(f"{label} told", helper, np.array([told], dtype=np.uint8), kind=kind)
    return told


def hear_bit(s: Session, label: str) -> bool:
    """The helper's side of `tell_bit`."""
    heard = s.receive_one(s.parties[0], f"{label} told", (1,), np.uint8)
    return bool(heard[0] & 1)
