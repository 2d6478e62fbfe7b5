"""What a party keeps of boosted trees while they grow, so that another job can resume from them.

    checkpoints/<job>/head          whose it is, of which data; bins of the columns, digests of the rows
                      rows          ids of the training rows, in the job's order, and which are held out
                      tree-00007    the eighth tree, this party's part
                      state-00008   at the label holder, after eight trees: margins, kept margins, losses

Files are written whole or not at all, and end with their SHA-256. The label holder keeps its two newest
states, because a feature holder may have died one tree earlier. A checkpoint counts once its head is there.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Ids, Mask
from saferoom.audit.log.erasure import wipe_file
from saferoom.errors import StorageError
from saferoom.files.private import make_private_folder, write_private
from saferoom.models.boosting.train import Grown
from saferoom.tasks.models.boosting import tree_from_plain, tree_to_plain

VERSION = 1
HEAD, ROWS, TREE, STATE = "head", "rows", "tree-{:05}", "state-{:05}"
STATES_KEPT = 2
_STATE = re.compile(r"state-(\d{5})")
_DIGEST_BYTES = 64
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, EOFError, OSError)


@dataclass(frozen=True, slots=True)
class Head:
    """What a job that goes on must find the same: bins of `columns`; digests of ids `aligned`, `trained`."""

    job: str
    contract: str
    party: str
    data_version: str
    columns: Mapping[str, Any]
    aligned: str
    trained: str
    is_label_holder: bool
    version: int = VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The training rows in one job's order: `ids` (rows,); `held_out` (rows,): no tree is grown on them."""

    ids: Ids
    held_out: Mask


class TrainingCheckpoint:
    """One job's checkpoint at one party."""

    def __init__(self, folder: Path, head: Head, rows: Rows) -> None:
        self.folder, self.head, self.rows = folder, head, rows

    @classmethod
    def begin(cls, folder: Path, head: Head, rows: Rows, grown: Grown) -> TrainingCheckpoint:
        """A new job's, which already has the trees it resumes from. Raises StorageError."""
        made = cls(folder, head, rows)
        make_private_folder(folder)
        _write(folder / ROWS, _packed(ids=rows.ids, held_out=rows.held_out))
        for number in range(len(grown.trees)):
            made._write_tree(number, grown)
        made._write_state(grown)
        _write(folder / HEAD, json.dumps(asdict(head), ensure_ascii=False).encode())
        return made

    @classmethod
    def open(cls, folder: Path) -> TrainingCheckpoint:
        """An earlier job's. Raises StorageError if there is none, or it is damaged or of another version."""
        head, path = read_head(folder), folder / ROWS
        rows = _unpacked(path)
        try:
            return cls(folder, head, Rows(rows["ids"], _of(rows["held_out"], len(rows["ids"]), np.bool_)))
        except _BROKEN as error:
            raise _damaged(path) from error

    def save(self, grown: Grown) -> None:
        """After each tree. Raises StorageError."""
        self._write_tree(len(grown.trees) - 1, grown)
        self._write_state(grown)

    def trees(self) -> int:
        """How many trees another job can resume from."""
        if self.head.is_label_holder:
            return max(self._states(), default=0)
        count = 0
        while (self.folder / TREE.format(count)).exists():
            count += 1
        return count

    def grown(self, trees: int) -> Grown | None:
        """Where training stood after so many trees; None if that is known no more. Raises StorageError."""
        has_state = trees > 0 and self.head.is_label_holder
        if has_state and trees not in self._states():
            return None
        grown = Grown([self._tree(number) for number in range(trees)], held_out=self.rows.held_out)
        if has_state:
            self._add_state(grown, len(self.rows.ids))
        return grown

    # ------------------------------------------------------------------------------------------------

    def _states(self) -> Sequence[int]:
        names = (_STATE.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def _write_tree(self, number: int, grown: Grown) -> None:
        plain = json.dumps(tree_to_plain(grown.trees[number]), ensure_ascii=False)
        _write(self.folder / TREE.format(number), plain.encode())

    def _tree(self, number: int) -> Any:
        path = self.folder / TREE.format(number)
        try:
            return tree_from_plain(json.loads(_read(path)))
        except _BROKEN as error:
            raise _damaged(path) from error

    def _write_state(self, grown: Grown) -> None:
        """Nothing at a feature holder, and nothing before the first tree."""
        if grown.margins is None or grown.kept_margins is None:
            return
        packed = _packed(
            base=np.array(grown.base, dtype=np.int64),
            margins=grown.margins,
            kept_margins=grown.kept_margins,
            losses=np.array(grown.losses, dtype=np.float64),
        )
        _write(self.folder / STATE.format(len(grown.trees)), packed)
        for older in self._states()[:-STATES_KEPT]:
            wipe_file(self.folder / STATE.format(older))

    def _add_state(self, grown: Grown, rows: int) -> None:
        path = self.folder / STATE.format(len(grown.trees))
        state = _unpacked(path)
        try:
            grown.base = int(state["base"])
            grown.margins = _of(state["margins"], rows, np.int64)
            grown.kept_margins = _of(state["kept_margins"], rows, np.int64)
            grown.losses = tuple(state["losses"].tolist())
        except _BROKEN as error:
            raise _damaged(path) from error


def read_head(folder: Path) -> Head:
    """Whose a checkpoint is, without the rest. Raises StorageError."""
    path = folder / HEAD
    try:
        plain = json.loads(_read(path))
        if plain["version"] != VERSION:
            raise StorageError(
                "the checkpoint is of another version of SafeRoom", step="resume", remedy=WITHOUT
            )
        return Head(**plain)
    except _BROKEN as error:
        raise _damaged(path) from error


def has_checkpoint(folder: Path) -> bool:
    """Whether a job left one that counts."""
    return (folder / HEAD).is_file()


def digest_of_rows(ids: Ids) -> str:
    """SHA-256 of a set of ids, whatever their order."""
    return hashlib.sha256(b"\n".join(np.sort(ids).tolist())).hexdigest()


WITHOUT = "start the job without --resume"


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"the checkpoint's file {path.name!r} is missing or damaged", step="resume", remedy=WITHOUT
    )


def _write(path: Path, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest().encode()
    write_private(path, content + digest, replace=True)


def _read(path: Path) -> bytes:
    """The content without its digest. Raises ValueError, OSError."""
    whole = path.read_bytes()
    content, digest = whole[:-_DIGEST_BYTES], whole[-_DIGEST_BYTES:]
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise ValueError("not what was written")
    return content


def _packed(**arrays: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _unpacked(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(_read(path)), allow_pickle=False) as arrays:
            return dict(arrays)
    except _BROKEN as error:
        raise _damaged(path) from error


def _of(array: NDArray[Any], rows: int, kind: type[np.generic]) -> NDArray[Any]:
    if array.shape != (rows,) or array.dtype != kind:
        raise ValueError("of another shape")
    return array
