"""The logistic function of shared numbers in one round, by a sine series.

σ(z) - 1/2 is odd, and flat at the ends. Mirrored at ±P/4 it becomes a smooth function of period P that has
*odd harmonics only*:

    σ(z) - 1/2  ≈  Σ_{k = 1, 3, …, 2K-1}  a_k · sin(2πkz/P)        for |z| <= P/4

with errors of 4e-4 for K = 6, P = 32 and 6e-5 for K = 32, P = 128. That is twice as good as all harmonics
for the same K, and beyond P/4 it falls back slowly instead of jumping: |z| = 1.1·P/4 still gives an error
below 5e-3 for P = 32.

z is taken as a fraction of the period, a uint32 "turn"; its modulus is the period itself, so z needs no
truncation: dropping low bits of the shares also shrinks their modulus (`ring.fixed.shifted_down`). The
dealer deals r uniform, and shares of a_k·sin(2πkr) and a_k·cos(2πkr). c = z + r is opened (uniform). Then

    sin(kz) = sin(kc)·cos(kr) - cos(kc)·sin(kr)

is a sum of dealt shares with public factors; the derivative uses the same shares with other factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Words
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.joint_columns import row_chunks
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.ring.angle import odd_multiples
from saferoom.ring.fixed import shifted_down, word_type
from saferoom.ring.prg import Stream
from saferoom.sharing.values import MaskedShare, Share

_PIECE = 1 << 13  # rows handled at a time, so that the work stays in the processor's cache


@dataclass(frozen=True, slots=True)
class SineSeries:
    """Public: the period (a power of two), the terms, the scales of public factors and dealt shares, and the
    words that hold the result."""

    period_bits: int
    terms: int
    factor_bits: int
    dealt_bits: int
    slope_bits: int = 9
    word_bits: int = 64

    @property
    def reach(self) -> float:
        """The series holds for |z| <= reach."""
        return float(2.0 ** (self.period_bits - 2))

    @property
    def frac_bits(self) -> int:
        """Scale of the values."""
        return self.factor_bits + self.dealt_bits

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values' words."""
        return word_type(self.word_bits)

    def frequencies(self) -> NDArray[np.float64]:
        """2πk/P for k = 1, 3, …"""
        return np.asarray((2 * np.arange(self.terms) + 1) * (2 * np.pi / 2.0**self.period_bits))

    def amplitudes(self) -> NDArray[np.float64]:
        """a_k, fitted by least squares on [0, P/4]: (terms,) float64, multiples of 2**-30."""
        z = np.linspace(0.0, self.reach, 64 * self.terms + 512)
        waves = np.sin(np.multiply.outer(z, self.frequencies()))
        fitted = np.linalg.lstsq(waves, 1.0 / (1.0 + np.exp(-z)) - 0.5, rcond=None)[0]
        return np.asarray(np.rint(fitted * 2.0**30) * 2.0**-30)

    def value(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """The series itself, less nothing: what the protocol gives for plain z, in [0, 1]."""
        return np.asarray(0.5 + np.sin(np.multiply.outer(z, self.frequencies())) @ self.amplitudes())


@dataclass(frozen=True, slots=True)
class Waves(Correlation):
    """a_k·sin(2πkr) and a_k·cos(2πkr) for k = 1, 3, …: (terms, 2, n), rounded up or down at random.

    Mask: r (n,), turns in units of 2**-32. A party gives its share of it; a dealer besides what it rounds by.
    """

    series: SineSeries
    rows: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.series.terms, 2, self.rows

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.series.dtype

    def value(self, r: NDArray[np.uint32], dither: Stream) -> Words:
        amplitudes = self.series.amplitudes() * 2.0**self.series.dealt_bits
        out = np.empty(self.shape, dtype=self.dtype)
        for piece in _pieces(self.rows):
            _waves(r[piece], amplitudes, dither, out[..., piece])
        return out


def as_turns(z: Share, period_bits: int) -> Share:
    """Shares of z / P mod 1 as uint32, off by at most 2**-32 turns a party. Local.

    z has scale f and is right mod 2**(f + period_bits) at least.
    """
    spare = z.frac_bits + period_bits - 32
    if spare < 0:
        raise ShapeError(f"{z.frac_bits} fractional bits are too few for a period of 2**{period_bits}")
    return Share(shifted_down(z.value, spare, np.uint32), 32)


def open_sigmoid(
    session: Session,
    randomness: Randomness,
    label: str,
    turns: Share,
    series: SineSeries,
    *,
    slope: bool = False,
) -> tuple[Share, Share | None]:
    """σ(z) - 1/2, and σ'(z) if `slope`, of shared z.

    Shapes:   turns (n,) uint32 -> Share (n,) of the series' words at scale series.frac_bits; slope
              at scale slope_bits + dealt_bits.
    Rounds:   1.  Sends: 4·n bytes to each other party.
    Reveals:  z + r mod P to all parties; uniform, because r is used once.
    Assumes:  semi-honest; |z| <= P/4, or the result is that of the mirrored curve. Callers must check.
    Source:   one round by a sine series: Zheng et al. 2023, Secure Softmax/Sigmoid for Machine-learning
              Computation (ACSAC); odd harmonics: the module's text.
    Raises:   MaskReuseError, ShapeError, PeerTimeout, StepMismatchError.
    """
    rows = turns.shape[0]
    with session.scope(label):
        r = randomness.mask("turns", turns.shape, np.uint32)
        c = session.open("turns", MaskedShare(turns.value + r, 32))
        value = np.zeros(rows, dtype=series.dtype)
        steep = np.zeros(rows, dtype=series.dtype) if slope else None
        for number, chunk in enumerate(row_chunks(rows)):
            waves = Waves(series, chunk.stop - chunk.start)
            dealt = randomness.take(f"waves/{number}", waves, r[chunk])
            for piece in _pieces(waves.rows):
                at = slice(chunk.start + piece.start, chunk.start + piece.stop)
                _combine(series, c[at], dealt[..., piece], value[at], None if steep is None else steep[at])
    slopes = None if steep is None else Share(steep, series.slope_bits + series.dealt_bits)
    return Share(value, series.frac_bits), slopes


def deal_sigmoid(dealer: Dealer, session: Session, label: str, rows: int, series: SineSeries) -> None:
    """Dealer's side of `open_sigmoid`.

    Shapes:   n rows.
    Rounds:   0.  Sends: 2·terms·n words, to parties by turns, in messages of CHUNK_ROWS rows.
    Reveals:  nothing.
    Assumes:  as `open_sigmoid`.
    Source:   as `open_sigmoid`.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        r = dealer.mask("turns", (rows,), np.uint32)
        dither = dealer.private_stream()
        for number, chunk in enumerate(row_chunks(rows)):
            dealer.deal(f"waves/{number}", Waves(series, chunk.stop - chunk.start), r[chunk], dither)


def _pieces(rows: int) -> Iterator[slice]:
    """Cache-sized slices of so many rows."""
    for start in range(0, rows, _PIECE):
        yield slice(start, min(start + _PIECE, rows))


def _words(values: NDArray[np.float64], dtype: Any) -> Words:
    signed = np.int32 if np.dtype(dtype).itemsize == 4 else np.int64
    return np.rint(values).astype(signed).view(dtype)


def _combine(
    series: SineSeries, c: NDArray[np.uint32], dealt: Words, value: Words, steep: Words | None
) -> None:
    """Add Σ_k sin(kc)·dealt cos - cos(kc)·dealt sin to `value`, and the derivative to `steep`."""
    scale, dtype = 2.0**series.factor_bits, value.dtype
    slopes = series.frequencies() * 2.0**series.slope_bits
    for k, (sin, cos) in enumerate(odd_multiples(c, series.terms)):
        value += _words(sin * scale, dtype) * dealt[k, 1]
        value -= _words(cos * scale, dtype) * dealt[k, 0]
        if steep is not None:
            steep += _words(cos * slopes[k], dtype) * dealt[k, 1]
            steep += _words(sin * slopes[k], dtype) * dealt[k, 0]


def _waves(r: NDArray[np.uint32], amplitudes: NDArray[np.float64], dither: Stream, out: Words) -> None:
    signed = np.int32 if out.dtype.itemsize == 4 else np.int64
    for k, waves in enumerate(odd_multiples(r, len(amplitudes))):
        chance = dither.words((2, r.shape[0]), np.uint16) * 2.0**-16
        for row, wave in enumerate(waves):
            out[k, row] = np.floor(wave * amplitudes[k] + chance[row]).astype(signed).view(out.dtype)
