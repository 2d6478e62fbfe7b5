"""A network in which one party tells one other party something else than it tells all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from saferoom.channel.codec import decode, encode
from saferoom.channel.memory import MemoryNetwork

Tensors = list[np.ndarray[Any, Any]]


def flipped(tensors: Tensors) -> Tensors:
    """The lowest bit of the last tensor's first element is another."""
    last = tensors[-1].copy()
    last.reshape(-1)[:1] ^= last.dtype.type(1)
    return [*tensors[:-1], last]


class TwoFacedNetwork(MemoryNetwork):
    """Of what `liar` sends to `victim`, the first message whose label ends so is changed."""

    def __init__(
        self,
        tap: Callable[[str, str, bytes], None] | None = None,
        *,
        liar: str,
        victim: str,
        label: str,
        change: Callable[[Tensors], Tensors] = flipped,
    ) -> None:
        super().__init__(tap)
        self._flow, self._label, self._change = (liar, victim), label, change
        self.has_lied = False

    def put(self, sender: str, receiver: str, message: bytes) -> None:
        if (sender, receiver) == self._flow and not self.has_lied:
            label, tensors = decode(message)
            if label.endswith(self._label):
                self.has_lied = True
                message = b"".join(encode(label, self._change(tensors)))
        super().put(sender, receiver, message)
