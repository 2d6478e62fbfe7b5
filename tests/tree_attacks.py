"""Published attacks on boosted trees across parties, against what our own parties are told.

ID2Graph      a feature holder groups rows that fall together, tree after tree, to guess labels
              (Takahashi, Liu, Liu 2023, arXiv 2307.10318)
reverse sum   a label holder sends gradients whose sums spell out which rows are in them
              (Weng et al. 2020, arXiv 2011.09290)
solved sums   a label holder that follows the protocol looks for the rows that have a sum: a knapsack
alike         a label holder looks for candidates that differ alike, or whose sums are all of a node's
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, groupby, permutations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from saferoom.models.boosting.nodes import ROOT, NodeRows
from saferoom.models.boosting.plain import Features, PlainBoosting
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import goes_left
from tests.attack_room import Asked
from tests.boosting_room import Array, BoostingRoom, name_of

# Where rows fall -------------------------------------------------------------------------------------


def leaves_told(room: BoostingRoom, party: str) -> list[Array]:
    """The leaf of every training row, (rows,) a joint tree, from the messages that one party receives."""
    trees: list[NodeRows] = []
    for _, receiver, label, tensors in room.said:
        if receiver != party:
            continue
        if name_of(label) == "rows":
            trees.append(NodeRows(np.unpackbits(tensors[0], count=len(room.y)).astype(bool)))
        elif name_of(label) == "sides":
            rows, left = trees[-1], np.unpackbits(tensors[1]).astype(bool)
            asked = [node for pair in rows.pairs(room.settings.least_rows) for node in pair]
            nodes = [asked[slot] for slot in np.flatnonzero(np.unpackbits(tensors[0]))]
            rows.descend({node: left[rows.level[node]] for node in nodes})
    return [_leaf_numbers(rows) for rows in trees]


def leaves_of_twin(twin: PlainBoosting, features: Features, first: int = 0) -> list[Array]:
    """The same of the trees from `first` on, from the plain twin."""
    count = len(next(column for of_party in features.values() for column in of_party).bins)
    found = []
    for tree in twin.trees[first:]:
        rows = NodeRows(np.ones(count, dtype=bool))
        while any(node in tree.splits for node in rows.level):
            lefts = {}
            for node, held in rows.level.items():
                if node in tree.splits:
                    party, split = tree.splits[node]
                    lefts[node] = goes_left(features[party][split.column], split, held)
            rows.descend(lefts)
        found.append(_leaf_numbers(rows))
    return found


def _leaf_numbers(rows: NodeRows) -> Array:
    found = np.full(rows.size, ROOT, dtype=np.int64)
    for node, held in {**rows.leaves, **rows.level}.items():
        found[held] = node
    return found


# ID2Graph --------------------------------------------------------------------------------------------


def fallen_together(leaves: Sequence[Array], discount: float = 1.0) -> Array:
    """(rows, leaves of all trees): inner products say how often, and how early, two rows share a leaf.

    `discount` weighs each tree less than the one before: earlier trees say more of labels.
    """
    parts = []
    for number, of_rows in enumerate(leaves):
        one_hot = (of_rows[:, None] == np.unique(of_rows)).astype(np.float64)
        # Small leaves count as much as large ones.
        parts.append(one_hot / np.sqrt(one_hot.sum(axis=0)) * discount ** (number / 2))
    return np.concatenate(parts, axis=1)


def rank(told: Array, y: Array) -> float:
    """AUC of labels when none is known: rows in the order of the first component of how they fall together.

    Which end is the bad one the party guesses right: 0.5 to 1.
    """
    centred = told - told.mean(axis=0)
    order = TruncatedSVD(1, random_state=0).fit_transform(centred)[:, 0]
    auc = float(roc_auc_score(y, order))
    return max(auc, 1 - auc)


def learn(vectors: Array, y: Array, known: int) -> float:
    """AUC of the other rows' labels, if those of the first `known` rows are known from elsewhere."""
    spread = vectors.std(axis=0)
    scaled = (vectors - vectors.mean(axis=0)) / np.where(spread > 0, spread, 1)
    model = LogisticRegression(C=0.05, max_iter=2000).fit(scaled[:known], y[:known])
    return float(roc_auc_score(y[known:], model.decision_function(scaled[known:])))


def as_columns(features: Sequence[BinnedFeature]) -> Array:
    """A party's own columns as numbers, (rows, columns): what it has without the others."""
    return np.stack([feature.bins.astype(np.float64) for feature in features], axis=1)


# Solved sums -----------------------------------------------------------------------------------------


def solutions(sums: Array, target: Array, most: int = 1000) -> list[Array]:
    """All subsets of rows (n, 2) of gradients and hessians with the sum `target`, as masks; `most` at most.

    Meet in the middle: 2**(n/2) sums of each half.
    """
    width = 1 << 32
    packed = sums[:, 0].astype(np.int64) * width + sums[:, 1]
    wanted = int(target[0]) * width + int(target[1])
    half = len(packed) // 2
    first, second = _all_sums(packed[:half]), _all_sums(packed[half:])
    order = np.argsort(second, kind="stable")
    ordered = second[order]
    missing = wanted - first
    low = np.searchsorted(ordered, missing, side="left")
    high = np.searchsorted(ordered, missing, side="right")
    found = []
    for place in np.flatnonzero(high > low):
        for other in order[low[place] : high[place]]:
            found.append(np.concatenate([_bits(int(place), half), _bits(int(other), len(packed) - half)]))
            if len(found) >= most:
                return found
    return found


def _all_sums(values: Array) -> Array:
    found = np.zeros(1, dtype=np.int64)
    for value in values:
        found = np.concatenate([found, found + value])
    return found


def _bits(number: int, count: int) -> Array:
    return np.array([number >> place & 1 for place in range(count)], dtype=bool)


# Candidates of one column ----------------------------------------------------------------------------


def differing_alike(sums: Array) -> set[int]:
    """The candidates of (candidates, 2) among which one and the same difference is most frequent."""
    pairs = list(permutations(range(len(sums)), 2))
    differences = Counter(tuple((sums[a] - sums[b]).tolist()) for a, b in pairs)
    alike, _ = max(differences.items(), key=lambda item: item[1])
    return {
        place for pair in pairs if tuple((sums[pair[0]] - sums[pair[1]]).tolist()) == alike for place in pair
    }


def adding_up(sums: Array, node: Array, most: int = 3) -> list[tuple[int, ...]]:
    """Groups of up to `most` candidates of (candidates, 2) that come to the sums of all rows, (2,)."""
    return [
        group
        for size in range(2, most + 1)
        for group in combinations(range(len(sums)), size)
        if np.array_equal(sums[list(group)].sum(axis=0), node)
    ]


# Equations -------------------------------------------------------------------------------------------


def who_lies_left(weights: Array, sums: Array, share: float) -> Array:
    """(rows,) from 0 to 1: the likeliest answer to (equations, rows) of `weights` that give `sums`.

    Least squares around `share`, what the first tree says of how many lie left.
    """
    if not len(sums):
        return np.full(weights.shape[1], share)
    scale = np.linalg.norm(weights, axis=1)
    table, given = weights / scale[:, None], sums / scale
    products = table @ table.T
    ridge = 0.01 * products.trace() / len(products) * np.eye(len(products))
    around = np.full(weights.shape[1], share)
    found = around + table.T @ np.linalg.solve(products + ridge, given - table @ around)
    return np.clip(found, 0, 1)


def linked(asked: Sequence[Asked], rows: int) -> list[Array]:
    """For each tree where the candidates stand that are numbered as they stand in the first tree.

    Only what the label holder has is used: what was solved for so far foretells the sums of the next tree,
    and candidates are matched with the sums that are nearest.
    """
    places: list[Array] = []
    shares = np.zeros(0)
    equations: list[list[tuple[Array, Array]]] = []
    for _, nodes in groupby(asked, key=lambda node: node.tree):
        table, kept, sums = _stacked(list(nodes), rows)
        if not places:
            order = np.arange(len(kept[0]))
            shares = sums[1] / table[1].sum()
            equations = [[] for _ in order]
        else:
            foretold = (
                table @ np.array([_solved(e, share) for e, share in zip(equations, shares, strict=True)]).T
            )
            off = ((foretold[:, :, None] - sums[:, None, :]) ** 2 * kept[:, None, :]).sum(axis=0)
            order = linear_sum_assignment(off / np.maximum(kept.sum(axis=0), 1))[1]
        for number, place in enumerate(order):
            told = kept[:, place]
            equations[number].append((table[told], sums[told, place]))
        places.append(order)
    return places


def _stacked(nodes: Sequence[Asked], rows: int) -> tuple[Array, Array, Array]:
    """(equations, rows) weights of norm 1; (equations, candidates) which are told, and their sums."""
    table = np.zeros((2 * len(nodes), rows))
    for place, node in enumerate(nodes):
        table[2 * place : 2 * place + 2, node.rows] = node.gradients.T
    norms = np.linalg.norm(table, axis=1)[:, None]
    sums = np.concatenate([node.sums[:, :2].T for node in nodes])
    return table / norms, np.repeat([node.kept for node in nodes], 2, axis=0), sums / norms


def _solved(equations: Sequence[tuple[Array, Array]], share: float) -> Array:
    tables, sums = zip(*equations, strict=True)
    return who_lies_left(np.concatenate(tables), np.concatenate(sums), share)
