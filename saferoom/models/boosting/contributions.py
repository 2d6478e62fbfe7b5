"""How much each own column moves a row's log-odds, as far as a party's own columns tell.

    contribution of a column = Σ P(the row reaches v) · (share of rows right · value   if it goes left
                                                         -share of rows left · value   if it goes right)

over the own splits v of the column, in all trees. `value` is the mean weight of the leaves left of v less
that of those right of it; shares are of the training rows in v. Along the path to v the row goes its way at
own splits, and both ways at those of others, by their shares. So a party's contributions add up to

    E[log-odds | its columns of the row] - E[log-odds]

where an unknown column sends a row as it sent the training rows. Sources: Saabas 2014 (treeinterpreter), for
the steps along a path; Lundberg, Erion, Lee 2018 (Consistent individualized feature attribution for tree
ensembles), algorithm 1, for paths of which some columns are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.reach import Sides
from saferoom.models.boosting.settings import WEIGHT_FRAC_BITS

F64 = NDArray[np.float64]


def contributions(trees: Iterable[tuple[LocalTree, Sides]], rows: int, columns: int) -> F64:
    """Log-odds (rows, columns) of own columns, of trees and which rows their own splits send left (rows,)."""
    total = np.zeros((rows, columns), order="F")
    for tree, sides in trees:
        _add(tree, sides, total)
    return total * 2.0**-WEIGHT_FRAC_BITS


def _add(tree: LocalTree, sides: Sides, total: F64) -> None:
    chances = {0: np.ones(len(total))}
    for node in tree.shape:
        left, right = 2 * node + 1, 2 * node + 2
        on_left = tree.covers[left] / tree.covers[node]
        chance = chances.pop(node)
        if node in tree.splits:
            step = np.where(sides[node], 1 - on_left, -on_left) * tree.values[node]
            total[:, tree.splits[node].column] += chance * step
            chances[left], chances[right] = chance * sides[node], chance * ~sides[node]
        else:
            chances[left], chances[right] = chance * on_left, chance * (1 - on_left)
