"""A checkpoint holds what it was given, whole, for its owner alone; what is not whole is not taken."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.errors import StorageError
from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.train import Grown
from saferoom.protocols.candidates import Split
from saferoom.tasks.results import checkpoint as module
from saferoom.tasks.results.checkpoint import (
    Head,
    Rows,
    TrainingCheckpoint,
    digest_of_rows,
    has_checkpoint,
    read_head,
)

IDS = np.array([b"c", b"a", b"d", b"b"])
HELD_OUT = np.array([True, False, False, True])
ROWS = Rows(IDS, HELD_OUT)
HEAD = Head("job", "contract", "bank", "v1", {"columns": {}}, "aligned", "trained", True)
AT_FEATURE_HOLDER = replace(HEAD, is_label_holder=False)


def tree(number: int, *, is_label_holder: bool = True) -> LocalTree:
    more: dict[str, Any] = {}
    if is_label_holder:
        more = {"owners": {0: "bank"}, "gains": {0: 0.1 + number}, "weights": {1: -7 - number, 2: 1 << 21}}
    return LocalTree((0,), {0: 4, 1: 1, 2: 3}, {0: Split(number, 2, True)}, **more)


def grow(grown: Grown, to: int, checkpoint: TrainingCheckpoint | None = None) -> Grown:
    """As training does, telling of every tree."""
    while len(grown.trees) < to:
        number = len(grown.trees)
        is_label_holder = grown.base is not None
        grown.trees.append(tree(number, is_label_holder=is_label_holder))
        if is_label_holder:
            grown.margins = np.arange(4, dtype=np.int64) + 100 * number
            grown.kept_margins = grown.margins - number % 2
            grown.losses = (*grown.losses, 1 / (3 + number))
        if checkpoint is not None:
            checkpoint.save(grown)
    return grown


def fresh() -> Grown:
    return Grown([], base=-5, held_out=HELD_OUT)


def fresh_at_feature_holder() -> Grown:
    return Grown([], held_out=HELD_OUT)


def assert_same(found: Grown | None, expected: Grown) -> None:
    assert found is not None
    assert found.trees == expected.trees
    assert (found.base, found.losses) == (expected.base, expected.losses)
    for name in ("margins", "kept_margins", "held_out"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "job"


def at_label_holder(folder: Path, trees: int = 3) -> TrainingCheckpoint:
    checkpoint = TrainingCheckpoint.begin(folder, HEAD, ROWS, fresh())
    grow(fresh(), trees, checkpoint)
    return checkpoint


@pytest.mark.parametrize("trees", [1, 2, 3, 12])
def test_comes_back_as_it_was(folder: Path, trees: int) -> None:
    at_label_holder(folder, trees)
    found = TrainingCheckpoint.open(folder)
    assert found.head == HEAD
    assert found.rows.ids.tolist() == IDS.tolist()
    assert found.trees() == trees
    assert_same(found.grown(trees), grow(fresh(), trees))


def test_goes_back_by_one_tree_and_no_further(folder: Path) -> None:
    checkpoint = at_label_holder(folder, 5)
    assert_same(checkpoint.grown(4), grow(fresh(), 4))
    assert checkpoint.grown(3) is None
    assert checkpoint.grown(6) is None
    assert {path.name for path in folder.glob("state-*")} == {"state-00004", "state-00005"}


def test_a_feature_holder_goes_back_as_far_as_you_like(folder: Path) -> None:
    checkpoint = TrainingCheckpoint.begin(folder, AT_FEATURE_HOLDER, ROWS, fresh_at_feature_holder())
    grow(fresh_at_feature_holder(), 5, checkpoint)
    found = TrainingCheckpoint.open(folder)
    assert found.trees() == 5
    for trees in range(6):
        assert_same(found.grown(trees), grow(fresh_at_feature_holder(), trees))


def test_before_the_first_tree(folder: Path) -> None:
    checkpoint = TrainingCheckpoint.begin(folder, HEAD, ROWS, fresh())
    assert checkpoint.trees() == 0
    assert_same(checkpoint.grown(0), fresh_at_feature_holder())


def test_a_job_that_goes_on_has_the_earlier_trees_too(folder: Path) -> None:
    checkpoint = TrainingCheckpoint.begin(folder, HEAD, ROWS, grow(fresh(), 3))
    assert_same(checkpoint.grown(3), grow(fresh(), 3))
    grow(grow(fresh(), 3), 4, checkpoint)
    assert_same(TrainingCheckpoint.open(folder).grown(4), grow(fresh(), 4))
    assert_same(TrainingCheckpoint.open(folder).grown(3), grow(fresh(), 3))


def test_is_open_to_its_owner_alone(folder: Path) -> None:
    at_label_holder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_digest_of_rows_goes_by_the_set_alone() -> None:
    assert digest_of_rows(IDS) == digest_of_rows(IDS[::-1]) == digest_of_rows(IDS.astype("S9"))
    assert digest_of_rows(IDS) != digest_of_rows(IDS[1:])
    assert digest_of_rows(np.array([b"ab", b"c"])) != digest_of_rows(np.array([b"a", b"bc"]))


# A crash at any moment -------------------------------------------------------------------------------


class Crash(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("written", range(6))
def test_a_crash_between_writing_and_renaming(
    folder: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """Two trees and states are there in turn: after any number of renames the newest whole state counts."""
    checkpoint = TrainingCheckpoint.begin(folder, HEAD, ROWS, fresh())
    renames = []
    rename = Path.replace

    def crashing(self: Path, target: Path) -> Path:
        renames.append(target)
        if len(renames) > written:
            raise Crash
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", crashing)
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)  # nothing is tidied up
    with pytest.raises(Crash):
        grow(fresh(), 4, checkpoint)
    monkeypatch.undo()
    assert any(path.name.startswith(".") for path in folder.iterdir())
    found = TrainingCheckpoint.open(folder)
    assert found.trees() == written // 2
    expected = grow(fresh(), written // 2) if written >= 2 else fresh_at_feature_holder()
    assert_same(found.grown(written // 2), expected)


def test_a_checkpoint_without_its_head_counts_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that dies while it copies the earlier job's trees must not pass for one without trees."""
    write = module.write_private

    def crashing(path: Path, content: bytes, *, replace: bool = False) -> None:
        if path.name.startswith("state"):
            raise Crash
        write(path, content, replace=replace)

    monkeypatch.setattr(module, "write_private", crashing)
    with pytest.raises(Crash):
        TrainingCheckpoint.begin(folder, HEAD, ROWS, grow(fresh(), 3))
    assert folder.is_dir() and not has_checkpoint(folder)
    with pytest.raises(StorageError, match="'head' is missing or damaged"):
        TrainingCheckpoint.open(folder)


def test_a_full_disk_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = at_label_holder(folder, 2)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            grow(grow(fresh(), 2), 3, checkpoint)
    assert not any(path.name.startswith(".") for path in folder.iterdir())
    assert_same(TrainingCheckpoint.open(folder).grown(2), grow(fresh(), 2))


# Damage ----------------------------------------------------------------------------------------------


def read_all(folder: Path) -> None:
    found = TrainingCheckpoint.open(folder)
    found.grown(found.trees())


@pytest.mark.parametrize("name", ["head", "rows", "tree-00001", "state-00003"])
@pytest.mark.parametrize("damage", ["a bit", "cut", "empty", "more"])
def test_a_damaged_file_is_named(folder: Path, name: str, damage: str) -> None:
    at_label_holder(folder)
    path = folder / name
    whole = path.read_bytes()
    changed = {
        "a bit": whole[:20] + bytes([whole[20] ^ 1]) + whole[21:],
        "cut": whole[:-1],
        "empty": b"",
        "more": whole + b"\n",
    }
    path.write_bytes(changed[damage])
    with pytest.raises(StorageError, match=f"'{name}' is missing or damaged") as caught:
        read_all(folder)
    assert caught.value.remedy == "start the job without --resume"
    path.write_bytes(whole)
    read_all(folder)


def test_a_missing_tree_is_named(folder: Path) -> None:
    at_label_holder(folder)
    (folder / "tree-00001").unlink()
    with pytest.raises(StorageError, match="'tree-00001' is missing"):
        read_all(folder)


def test_a_state_of_other_rows_is_not_taken(folder: Path) -> None:
    at_label_holder(folder)
    module._write(folder / "rows", module._packed(ids=IDS[1:], held_out=HELD_OUT[1:]))
    with pytest.raises(StorageError, match="'state-00003' is missing or damaged"):
        read_all(folder)


def test_objects_are_not_unpickled(folder: Path) -> None:
    at_label_holder(folder)
    with pytest.raises(ValueError, match=r"pickle|Object arrays"):
        module._packed(ids=np.array([object()]))
    file = folder / "made"
    np.savez(file, ids=np.array([{}], dtype=object), held_out=np.array([True]))
    module._write(folder / "rows", file.with_suffix(".npz").read_bytes())
    with pytest.raises(StorageError, match="'rows' is missing or damaged"):
        TrainingCheckpoint.open(folder)


def test_another_version_is_said(folder: Path) -> None:
    at_label_holder(folder)
    plain = json.loads((folder / "head").read_bytes()[:-64])
    module._write(folder / "head", json.dumps(plain | {"version": 2}).encode())
    with pytest.raises(StorageError, match="of another version") as caught:
        read_head(folder)
    assert caught.value.remedy
