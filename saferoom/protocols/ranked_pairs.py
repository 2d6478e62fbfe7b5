"""How well shared numbers part two classes: the area under the ROC curve, told as one number.

    A_j, E_j   how many rows, and how many events, lie below T_j: counts on shares, for a public grid of T_j
    2·U = Σ_j (E_{j+1} − E_j)·(2·G − G_{j+1} − G_j),     G_j = A_j − E_j        AUC = 2·U / (2·E·G)

U counts the pairs of an event and another row in which the event lies lower; pairs within one step of the
grid count half. Nothing but 2·U is revealed, and to the party that holds the classes alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import U32
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.bit_counts import count_bits, deal_count
from saferoom.protocols.comparison import deal_below, share_below
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.products import deal_factor, deal_multiply, multiply, open_factor
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.shared_bits import deal_both, share_both
from saferoom.protocols.truncation import deal_widened_sum, open_widened_sum
from saferoom.sharing.values import Share

Labels = NDArray[np.bool_]


def reveal_pairs(
    s: Session,
    randomness: Randomness,
    values: Share,
    grid: Sequence[int],
    events: Labels | None,
    *,
    label_holder: str,
) -> int | None:
    """2·U, at the label holder; None elsewhere. `events` are given there alone.

    Shapes:   values (n,) uint32, taken mod 2**30; grid (k,), rising; events (n,).
    Rounds:   at most 47: four of a comparison, one product, those of `count_bits`, three at the end, and
              with three parties or more one of `Session.confirm`.
    Sends:    about 4·n + 2.8·k·n bytes to each other party.
    Reveals:  to `label_holder`, `auc`: 2·U. To all parties uniform openings.
    Assumes:  semi-honest; the dealer colludes with no party. n < 2**28.
    Source:   the module's text (Mann, Whitney 1947, with ties).
    Raises:   MaskReuseError, ShapeError, PeerError, PeerTimeout, StepMismatchError, RefusedError.
    """
    if (events is None) == (s.me == label_holder):
        raise ShapeError("the label holder, and nobody else, gives the classes", party=s.me)
    rows = len(values.value)
    below = share_below(s, randomness, "below", values, grid)
    own = np.zeros(below.shape[1], dtype=np.uint8) if events is None else np.packbits(events)
    both = share_both(s, randomness, "events", below, np.tile(own, (len(grid), 1)))
    counts = count_bits(s, randomness, "counts", np.concatenate([below, both])).value
    steps = _steps(s, counts, rows, 0 if events is None else int(events.sum()))
    wide = open_widened_sum(s, randomness, "wide", Share(steps.reshape(1, -1), 0)).value.reshape(2, -1)
    left = open_factor(s, randomness, "left", Share(wide[:1], 0))
    right = open_factor(s, randomness, "right", Share(wide[1:].T.copy(), 0))
    pairs = multiply(s, randomness, "pairs", left, right)
    shown = s.reveal("pairs", label_holder, Share(pairs.value.ravel(), 0), kind="auc")
    return None if shown is None else int(shown[0])


def deal_pairs(dealer: Dealer, s: Session, rows: int, steps: int) -> None:
    """Dealer's side of `reveal_pairs`.

    Shapes:   rows: n; steps: k, of the grid.
    Rounds:   0.  Sends: about 72·n + 1.8·k·n bytes.
    Reveals:  nothing.
    Assumes:  as `reveal_pairs`.
    Source:   as `reveal_pairs`.
    Raises:   MaskReuseError, PeerError.
    """
    size = (rows + 7) // 8
    deal_below(dealer, s, "below", rows, steps)
    deal_both(dealer, s, "events", (steps, size))
    deal_count(dealer, s, "counts", 2 * steps, size)
    deal_widened_sum(dealer, s, "wide", (1, 2 * (steps + 1)))
    masks = (
        deal_factor(dealer, s, "left", (1, steps + 1)),
        deal_factor(dealer, s, "right", (steps + 1, 1)),
    )
    deal_multiply(dealer, s, "pairs", *masks)


def _steps(s: Session, counts: U32, rows: int, events: int) -> U32:
    """Shares (2, k + 1) of 2·U's factors: events of each step of the grid, and pairs that each takes part in.

    counts (2·k,): of all rows, and of events, below the grid; `events`: in all, at the label holder.
    """
    half = len(counts) // 2
    everything = np.array([rows if s.is_first else 0], dtype=np.uint32)
    nothing, total = np.zeros(1, dtype=np.uint32), np.array([events], dtype=np.uint32)
    below = np.concatenate([nothing, counts[:half], everything])
    hit = np.concatenate([nothing, counts[half:], total])
    missed = below - hit
    all_missed = missed[-1:]
    pairs = all_missed + all_missed - missed[1:] - missed[:-1]
    return np.stack([hit[1:] - hit[:-1], pairs])
