"""The one door through which a protocol's randomness comes: masks, and named correlations of masks.

    mask    a uniform number of which every party holds a share, and which no party knows
    take    this party's share of what a `Correlation` makes of such masks: their product, their sines, …

A protocol opens secrets under masks, and corrects the result by what it takes. It never asks who provides:
`dealing` has the provider of assisted mode, a helper that deals. A provider without a helper has to make the
same correlations between the parties; for it every `take` hands over this party's own shares of the masks.

A correlation is a small class beside the protocol that needs it. docs/protocols/randomness.md lists them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from saferoom.arrays import Words

Group: TypeAlias = tuple[str, ...]
"""Some of the parties, in the public order."""


class Correlation(ABC):
    """What a value has to do with masks: a frozen dataclass, whose docstring gives the equation.

    Its fields are public: all that the parties have to agree on. Values of uint8 are packed bits, shared by
    xor; all others are shared by sums modulo their words.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of the value, and so of each share."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the value: uint64 unless a correlation says otherwise."""
        return np.dtype(np.uint64)

    @abstractmethod
    def value(self, *masks: Any, **named: Any) -> Words:
        """The value, made of whole masks: what a dealer shares. A new array, which callers may overwrite."""


class Randomness(Protocol):
    """A party's end of a provider. All parties ask for the same, in the same order, under the same labels."""

    def mask(self, label: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint64) -> Words:
        """This party's share of a fresh uniform mask. Local. Raises MaskReuseError for a label of before."""

    def take(self, label: str, correlation: Correlation, *operands: Any, among: Group | None = None) -> Words:
        """This party's share of the correlation's value. May be read-only, and may have to be waited for.

        operands: this party's own shares of the masks that `correlation.value` takes, in that order, or what
        it holds in their place; None for a mask of which it has no share. They are read, never changed.
        among: the parties that share the value, this one with them; all of them unless it is said.
        Raises MaskReuseError, PeerTimeout, PeerError, StepMismatchError.
        """

    def tell_pass(self) -> None:
        """A pass over the rows is done: a provider that works ahead may go on. All parties call it."""
