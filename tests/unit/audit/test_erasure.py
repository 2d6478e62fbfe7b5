"""Files are destroyed with their bytes, and what cannot be destroyed is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from saferoom.audit.log.erasure import count_files, wipe_file, wipe_tree
from saferoom.errors import StorageError


def test_the_bytes_go_and_not_only_the_name(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_bytes(b"canary" * 300_000)
    (tmp_path / "other name").hardlink_to(file)
    wipe_file(file)
    assert not file.exists()
    assert set((tmp_path / "other name").read_bytes()) == {0}
    wipe_file(file)


def test_a_tree_goes_whole(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (folder / "deep" / "deeper").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/deeper/c"):
        (folder / name).write_bytes(b"canary")
    assert count_files(folder) == 3
    assert wipe_tree(folder) == 3
    assert not folder.exists()
    assert (wipe_tree(folder), count_files(folder)) == (0, 0)


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "theirs").write_bytes(b"kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").symlink_to(outside / "theirs")
    (folder / "tree").symlink_to(outside)
    assert wipe_tree(folder) == 2
    assert (outside / "theirs").read_bytes() == b"kept"
    (tmp_path / "link").symlink_to(outside)
    assert wipe_tree(tmp_path / "link") == 1
    assert (outside / "theirs").exists()


def test_what_cannot_be_destroyed_is_named_and_the_rest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(b"canary")
    honest = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name == "b":
            raise PermissionError(13, "Permission denied")
        honest(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(StorageError, match="b cannot be destroyed: Permission denied") as caught:
        wipe_tree(folder)
    assert caught.value.remedy
    assert [path.name for path in folder.iterdir()] == ["b"]
    assert set((folder / "b").read_bytes()) == {0}
