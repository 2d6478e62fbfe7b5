"""A sum that one party learns, and nothing but the sum: joint scores from the parties' own parts.

    party i sends    round(part_i) + Σ_{j>i} pad_ij − Σ_{j<i} pad_ij    mod 2^64
    recipient adds its own; every pad_ij stands there once with + and once with −, and is gone

Parts are rounded by chance to a public step before they are masked (`rounded_release`): of exact sums the
distinct values alone would give away the columns that parts are made of.

`pad_ij` is a pseudo-random stream from a seed that i and j alone know. No helper takes part.

With two parties the recipient subtracts its own part from the sum and has the other's: no protocol can
prevent it. The contract must accept that by name, or ask for grades alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import U64
from saferoom.channel.session import Session
from saferoom.errors import PeerError, UsageError
from saferoom.protocols.rounded_release import rounded_by_chance
from saferoom.ring.fixed import decode, encode
from saferoom.ring.prg import SEED_BYTES, Stream
from saferoom.sharing.values import MaskedShare, Public, Seed, Share

SUM_FRAC_BITS = 32
_STREAM = "masked sum"
_CHUNK = 1 << 19  # elements: 4 MB, so that masking one chunk and sending the one before overlap


class PairwisePads:
    """One-time pads of one party with every other, from the moment they are agreed to the session's end.

    The streams only move forward, so that no pad is spent twice. `spent` counts elements; it is compared in
    every sum, because parties that are not at the same place would add noise without noticing.
    """

    def __init__(self, added: Mapping[str, Stream], subtracted: Mapping[str, Stream]) -> None:
        self._added = dict(added)
        self._subtracted = dict(subtracted)
        self.spent = 0

    @classmethod
    def agree(cls, s: Session) -> PairwisePads:
        """Draw and swap seeds: of every two parties, the earlier one draws.

        Shapes:   -> pads for any number of sums in this session.
        Rounds:   at most 1.
        Sends:    32 bytes to each later party.
        Reveals:  nothing.
        Assumes:  semi-honest; the link keeps the seeds from the helper.
        Source:   Bonawitz et al. 2017, §4 (masking with one-time pads), without drop-outs.
        Raises:   PeerError, PeerTimeout, StepMismatchError.
        """
        place = s.parties.index(s.me)
        added = {}
        for peer in s.parties[place + 1 :]:
            seed = secrets.token_bytes(SEED_BYTES)
            s.send(peer, "pad-seed", Seed(np.frombuffer(seed, dtype=np.uint8)))
            added[peer] = Stream(seed, _STREAM)
        subtracted = {
            peer: Stream(s.receive_one(peer, "pad-seed", (SEED_BYTES,), np.uint8).tobytes(), _STREAM)
            for peer in s.parties[:place]
        }
        return cls(added, subtracted)

    def next(self, rows: int) -> U64:
        """This party's net pad for the next `rows` elements; over all parties it sums to zero."""
        total = np.zeros(rows, dtype=np.uint64)
        for stream in self._added.values():
            total += stream.words(rows)
        for stream in self._subtracted.values():
            total -= stream.words(rows)
        self.spent += rows
        return total


def masked_sum(
    s: Session,
    part: NDArray[np.float64],
    recipient: str,
    pads: PairwisePads,
    *,
    step: float,
    kind: str = "score",
) -> NDArray[np.float64] | None:
    """The sum of all parties' `part`, each rounded by chance to `step`, at `recipient`; None at the others.

    Shapes:   part (n,) -> (n,), multiples of `step`, a power of two. Finite, |part| < 2**30 / k.
    Rounds:   1 message delay: nobody answers anybody. Before it `Session.confirm`, if anything is due.
    Sends:    8·n bytes, and 16 for every 524,288 rows, from each other party to the recipient.
    Reveals:  to `recipient`, `kind`: the sum of the rounded parts (with two parties: therefore the other's,
              rounded). It is off by less than k steps for k parties, and by nothing on the average.
    Assumes:  semi-honest; any number of parties may collude, and learn the sum of the others' parts if
              the recipient is among them.
    Source:   Bonawitz et al. 2017, §4 (masking with one-time pads).
    Raises:   UsageError (not a vector, not finite, too large), ShapeError (the step), PeerError (other rows
              or other pads), PeerTimeout.
    """
    ring = rounded_by_chance(Share(_to_ring(part, len(s.parties)), SUM_FRAC_BITS), step).value
    s.confirm("part")
    s.declare("part", recipient, part.shape, kind=kind)
    total = np.empty_like(ring) if s.me == recipient else None
    for start in range(0, max(len(ring), 1), _CHUNK):
        header = np.array([len(ring), pads.spent], dtype=np.uint64)
        chunk = ring[start : start + _CHUNK]
        padded = MaskedShare(chunk + pads.next(len(chunk)), SUM_FRAC_BITS)
        if total is None:
            s.send(recipient, f"part/row={start}", Public(header), padded)
        else:
            total[start : start + len(chunk)] = _collect(s, f"part/row={start}", header, padded)
    return None if total is None else decode(total, SUM_FRAC_BITS)


def _collect(s: Session, label: str, header: U64, own: MaskedShare) -> U64:
    total = own.value
    for peer in s.peers:
        tensors = s.receive(peer, label)
        if [t.dtype for t in tensors] != [np.uint64] * 2 or tensors[1].shape != total.shape:
            raise PeerError("expected a header and a vector of our length", party=peer, step=s.step(label))
        if not np.array_equal(tensors[0], header):
            raise PeerError(
                "it sums another number of rows, or stands elsewhere in the pads",
                party=peer,
                step=s.step(label),
                remedy="start the job again: both nodes must have scored the same requests",
            )
        total = total + tensors[1]
    return total


def _to_ring(part: NDArray[np.float64], parties: int) -> U64:
    if part.ndim != 1:
        raise UsageError(f"a sum takes vectors, got {part.ndim} dimensions")
    if not np.all(np.abs(part) < 2.0 ** (62 - SUM_FRAC_BITS) / parties):  # false for NaN too
        raise UsageError(
            "a part of the score is not finite, or far too large", remedy="check the model's columns"
        )
    return encode(part, SUM_FRAC_BITS)
