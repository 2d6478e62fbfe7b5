"""Release a shared number rounded by chance to a public step, so that it tells no more than the step shows.

    each party      round(own share + u)          u uniform in [0, step), rounding down to a multiple of step
    recipient       adds what the parties send

A number x between two multiples of the step becomes the upper one with probability (x mod step) / step: on
the average nothing is lost, and what is sent never shows where between the two x lay. This holds for a share
modulo 2**w as for a number, because 2**w is a multiple of the step: the shares, rounded one by one, add up to
the secret and k roundings. So the parties need neither a helper nor a word to each other, and no party knows
the others' dither.

The recipient learns the sum of roundings of which it knows its own alone. Who is told the same number again
under fresh dither can average: jobs are counted for that.
"""

from __future__ import annotations

import math
import secrets

import numpy as np
from numpy.typing import NDArray

from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.ring.fixed import decode, word_bits
from saferoom.ring.prg import SEED_BYTES, Stream
from saferoom.sharing.values import Share


def release_rounded(
    s: Session, label: str, share: Share, to: str, *, step: float, kind: str
) -> NDArray[np.float64] | None:
    """The shared numbers at `to`, rounded by chance to multiples of `step`; None at the others.

    Every party rounds its own share by itself before it sends it.

    Shapes:   share (…) of any modulus and scale -> (…) multiples of `step`, a power of two.
    Rounds:   1 message delay: nobody answers anybody. Before it `Session.confirm`, if anything is due.
    Sends:    the share's bytes, from each other party to the recipient.
    Reveals:  to `to`, `kind`: the rounded numbers. Each is off by less than k steps for k parties; by nothing
              on the average, and by half a step times the root of k, or less, in root mean square.
    Assumes:  semi-honest; of the dithers the recipient knows its own and those of parties it colludes with.
    Source:   random rounding by each party of its own share; dither: Gray, Stockham 1993.
    Raises:   ShapeError (a step that is no power of two, or as large as the modulus), PeerError, PeerTimeout,
              StepMismatchError.
    """
    words = s.reveal(label, to, rounded_by_chance(share, step), kind=kind)
    return None if words is None else decode(words, share.frac_bits)


def rounded_by_chance(share: Share, step: float) -> Share:
    """A share, or a number in its form, as a multiple of `step`, up or down by chance; never sent as it is.

    Unchanged where it has no finer digits than the step.
    """
    drop = share.frac_bits + exponent_of(step)
    if drop <= 0:
        return share
    if drop >= word_bits(share.value.dtype):
        raise ShapeError("the step of a release is as large as the shares' modulus")
    bits = np.asarray(drop, dtype=share.value.dtype)
    dither = Stream(secrets.token_bytes(SEED_BYTES), "dither").words(share.shape, share.value.dtype)
    dither &= (share.value.dtype.type(1) << bits) - share.value.dtype.type(1)
    return Share((share.value + dither) >> bits << bits, share.frac_bits)


def exponent_of(step: float) -> int:
    """The power of two that a step is. Raises ShapeError if it is none."""
    mantissa, exponent = math.frexp(step)
    if mantissa != 0.5:
        raise ShapeError("the step of a release is a power of two")
    return exponent - 1
