"""`model.json` of boosted trees: one party's part, enough to say with its own rows which leaves they allow.

    {"version": 1, "kind": "boosting", "job", "contract", "party", "columns", "points", "preparation",
     "own_trees", "importance", "trees": [{"shape": […], "covers": {node: rows},
                                           "splits": {node: [column, cut, missing left]},
                                           "values": {node: value of an own split}}]}

"values" are there if the contract names a recipient of reason codes. The label holder's has "owners", "gains"
and "weights" of each tree too, "base", and "gains" by party.
Weights, values and base are integers with WEIGHT_FRAC_BITS fractional bits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64
from saferoom.contracts.contract import Contract
from saferoom.data.table import PartyTable
from saferoom.data.tree_columns import TreeColumns
from saferoom.errors import RefusedError
from saferoom.jobs.context import JobContext
from saferoom.models.boosting.contributions import contributions
from saferoom.models.boosting.model import LocalTree, LocalTrees, leaves_of, reached_leaves
from saferoom.models.boosting.settings import WEIGHT_FRAC_BITS
from saferoom.models.boosting.sizes import most_joint_leaves
from saferoom.models.shown import Shown, shown_by_rows
from saferoom.protocols.candidates import Split, goes_left
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import PointScale, pd_from_logit
from saferoom.tasks.base import Binned
from saferoom.tasks.models.files import VERSION, check_version
from saferoom.tasks.steps.leaves import Leaves, sum_leaves

SCORES_REACH = 16.0
"""Log-odds beyond which no score of trees lies."""


@dataclass(frozen=True, slots=True)
class BoostedModel:
    """One party's part of boosted trees; `scale` turns log-odds into points."""

    job: str
    contract: str
    party: str
    preparation: TreeColumns
    trees: LocalTrees
    scale: PointScale

    kind: ClassVar[str] = "boosting"

    @property
    def leaves(self) -> int:
        """Leaves of all trees that were grown together."""
        return sum(len(leaves_of(tree.shape)) for tree in self.trees.joint)

    @property
    def weights(self) -> I64 | None:
        """The weight of each of them, at the label holder."""
        if self.trees.base is None:
            return None
        found = [tree.weights[leaf] for tree in self.trees.joint for leaf in leaves_of(tree.shape)]
        return np.array(found, dtype=np.int64)

    def rows(self, table: PartyTable) -> ModelRows:
        """The rows of a table as the model sees them."""
        return ModelRows(self.trees, self.preparation, table)

    def lost(self, table: PartyTable) -> I64:
        """Points that each column costs each row beside what is expected without own columns: (n, d), >= 0.

        Raises RefusedError if the job was told no values of splits.
        """
        if any(tree.splits.keys() != tree.values.keys() for tree in self.trees.trees):
            raise RefusedError(
                "the model was trained without what reason codes are made of", remedy="train it again"
            )
        rows, width = self.rows(table), len(self.preparation.column_names)
        steps = ((tree, rows.sides(tree)) for tree in self.trees.trees)
        moved = contributions(steps, len(table), width)
        return np.rint(np.maximum(moved, 0) * self.scale.factor).astype(np.int64)

    def credit(self, rows: PartyTable) -> I64:
        del rows
        raise _no_grades_alone()

    def thresholds(self, scheme: GradeScheme) -> list[int]:
        del scheme
        raise _no_grades_alone()

    def grid(self) -> list[int]:
        raise _no_grades_alone()

    def joint(self, context: JobContext, rows: PartyTable, recipient: str) -> F64 | None:
        """The log-odds (n,) of the rows, at `recipient`."""
        seen = self.rows(rows)
        base = seen.base_margin() if context.me == context.contract.label_holder else None
        return sum_leaves(context, Leaves(seen, self.weights, base, self._most(context.contract)), recipient)

    def _most(self, contract: Contract) -> int:
        """How many leaves the joint trees can have, by the contract's settings and the training rows."""
        params = contract.params
        least_rows = max(params.min_leaf_rows, params.min_leaf_events)
        return most_joint_leaves(self.trees, params.max_depth, least_rows)

    def shown(self, rows: PartyTable, contract: Contract) -> Shown:
        """A score may show which side of each own split a row is on: no more than scores have steps."""
        seen = self.rows(rows)
        sides = [side for tree in self.trees.joint for side in seen.sides(tree).values()]
        packed = np.packbits(np.stack(sides, axis=1), axis=1) if sides else np.zeros((len(rows), 0), np.uint8)
        return shown_by_rows(packed, contract.released_step, SCORES_REACH)

    def binned(self) -> Binned:
        rows = self.preparation.rows
        return {name: (bins, np.array(rows[name])) for name, bins in self.preparation.bins.items()}

    def own_part(self, folder: Path) -> dict[str, Any]:
        """What the trees make of own columns."""
        del folder
        from saferoom.report.content import Importance, ImportanceLine  # loads scikit-learn

        lines = tuple(ImportanceLine(**line) for line in self.importance())
        return {"importances": (Importance(self.party, len(self.trees.trees), lines, self.gains()),)}

    def judge(self, total: NDArray[np.float64]) -> tuple[NDArray[np.float64], I64]:
        """Probability of default and points (n,) of log-odds (n,)."""
        return pd_from_logit(total), self.scale.points(total)

    def importance(self) -> list[dict[str, Any]]:
        """Of each own column that is split on: splits, training rows that pass them, gain if known here."""
        found: dict[int, dict[str, Any]] = defaultdict(lambda: {"splits": 0, "cover": 0})
        for tree in self.trees.trees:
            for node, split in tree.splits.items():
                of_column = found[split.column]
                of_column["splits"] += 1
                of_column["cover"] += tree.covers[node]
                if node in tree.gains:
                    of_column["gain"] = of_column.get("gain", 0.0) + tree.gains[node]
        names = self.preparation.column_names
        lines = [{"column": names[column], **values} for column, values in found.items()]
        return sorted(lines, key=lambda line: (-line.get("gain", 0.0), -line["splits"], line["column"]))

    def gains(self) -> dict[str, float]:
        """At the label holder: how much each party's splits gained, by party."""
        total: dict[str, float] = defaultdict(float)
        for tree in self.trees.trees:
            for node, gain in tree.gains.items():
                total[tree.owners[node]] += gain
        return dict(sorted(total.items()))

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "version": VERSION,
            "kind": self.kind,
            "job": self.job,
            "contract": self.contract,
            "party": self.party,
            "columns": list(self.preparation.column_names),
            "points": asdict(self.scale),
            "preparation": self.preparation.to_dict(),
            "own_trees": self.trees.own,
            "trees": [tree_to_plain(tree) for tree in self.trees.trees],
            "importance": self.importance(),
        }
        if self.trees.base is not None:
            plain |= {"base": self.trees.base, "gains": self.gains()}
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> BoostedModel:
        """Back from `to_plain`. Raises KeyError, TypeError, ValueError, StorageError if it is not one."""
        check_version(plain)
        trees = tuple(tree_from_plain(tree) for tree in plain["trees"])
        return cls(
            job=plain["job"],
            contract=plain["contract"],
            party=plain["party"],
            preparation=TreeColumns.from_dict(plain["preparation"]),
            trees=LocalTrees(trees, plain["own_trees"], plain.get("base")),
            scale=PointScale.from_dict(plain["points"]),
        )


class ModelRows:
    """The leaves that a party's splits allow for the rows of a table: made as they are asked for."""

    def __init__(self, trees: LocalTrees, columns: TreeColumns, table: PartyTable) -> None:
        self._trees, self._features, self._size = trees, columns.features(table), len(table)
        self._leaves = sum(len(leaves_of(tree.shape)) for tree in trees.joint)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._size, self._leaves

    def __getitem__(self, rows: slice) -> NDArray[np.bool_]:
        """Of `rows`: (rows, leaves) of all joint trees."""
        places = np.arange(*rows.indices(self._size), dtype=np.int32)
        parts = [self._reached(tree, places) for tree in self._trees.joint]
        return np.concatenate([*parts, np.zeros((len(places), 0), dtype=bool)], axis=1)

    def base_margin(self) -> I64:
        """What the label holder adds by itself: its base and the trees of its own columns, (rows,)."""
        margin = np.full(self._size, self._trees.base or 0, dtype=np.int64)
        places = np.arange(self._size, dtype=np.int32)
        for tree in self._trees.trees[: self._trees.own]:
            if tree.weights:
                weights = np.array([tree.weights[leaf] for leaf in leaves_of(tree.shape)], dtype=np.int64)
                margin += weights[self._reached(tree, places).argmax(axis=1)]
        return margin

    def sides(self, tree: LocalTree, places: NDArray[np.int32] | None = None) -> dict[int, NDArray[np.bool_]]:
        """Which of the rows, or of those at `places`, own splits of a tree send left."""
        places = np.arange(self._size, dtype=np.int32) if places is None else places
        return {
            node: goes_left(self._features[split.column], split, places)
            for node, split in tree.splits.items()
        }

    def _reached(self, tree: LocalTree, places: NDArray[np.int32]) -> NDArray[np.bool_]:
        return reached_leaves(tree.shape, self.sides(tree, places), len(places))


def trees_card(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A model card's part: how many trees, and how important own columns are to them."""
    gains = {"gains": plain["gains"]} if "gains" in plain else {}
    return {"trees": len(plain["trees"]), "importance": plain["importance"], **gains}


def log_odds(words: I64) -> NDArray[np.float64]:
    """Sums of leaf weights as log-odds."""
    return np.asarray(words * 2.0**-WEIGHT_FRAC_BITS)


def tree_to_plain(tree: LocalTree) -> dict[str, Any]:
    """JSON of one tree; nodes become texts."""
    splits = {n: [s.column, s.cut, s.missing_left] for n, s in tree.splits.items()}
    plain: dict[str, Any] = {"shape": list(tree.shape), "covers": tree.covers, "splits": splits}
    if tree.weights:
        plain |= {"owners": tree.owners, "gains": tree.gains, "weights": tree.weights}
    if tree.values:
        plain["values"] = tree.values
    return {
        key: {str(node): each for node, each in value.items()} if isinstance(value, Mapping) else value
        for key, value in plain.items()
    }


def tree_from_plain(plain: Mapping[str, Any]) -> LocalTree:
    """Back from `tree_to_plain`."""

    def by_node(key: str) -> dict[int, Any]:
        return {int(node): value for node, value in plain.get(key, {}).items()}

    splits = {node: Split(int(c), int(cut), bool(left)) for node, (c, cut, left) in by_node("splits").items()}
    shape = tuple(int(node) for node in plain["shape"])
    known = ("owners", "gains", "weights", "values")
    return LocalTree(shape, by_node("covers"), splits, **{key: by_node(key) for key in known})


def _no_grades_alone() -> RefusedError:
    return RefusedError(
        "grades alone are released of regressions and scorecards, not yet of boosted trees",
        remedy="name a model of these kinds, or a contract that releases scores",
    )
