"""Private files: closed from the first byte on, whole or not at all, never overwritten by slip."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from saferoom.errors import ConfigError, StorageError
from saferoom.files.private import make_private_folder, read_private, sync_folder, write_output, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_private_folder(tmp_path / "home" / "keys")
    return tmp_path / "home" / "keys"


def test_a_private_folder_is_closed_even_if_it_was_open(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    make_private_folder(tmp_path / "open")
    assert mode(tmp_path / "open") == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        make_private_folder(tmp_path / "file" / "below")


def test_a_file_is_its_owners_whatever_the_umask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes, fsync = [], os.fsync

    def watched(handle: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    before = os.umask(0)
    try:
        write_private(folder / "a", b"one")
    finally:
        os.umask(before)
    assert modes == [0o600, 0o700]
    assert mode(folder / "a") == 0o600
    assert read_private(folder / "a") == b"one"


def test_what_is_there_is_overwritten_only_when_asked_for(folder: Path) -> None:
    write_private(folder / "a", "旧")
    with pytest.raises(ConfigError, match="is there already") as caught:
        write_private(folder / "a", "新")
    assert caught.value.remedy
    assert (folder / "a").read_text(encoding="utf-8") == "旧"
    write_private(folder / "a", "新", replace=True)
    assert (folder / "a").read_text(encoding="utf-8") == "新"
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_a_link_is_replaced_and_not_followed(folder: Path) -> None:
    (folder / "target").write_text("mine", encoding="utf-8")
    (folder / "link").symlink_to(folder / "target")
    with pytest.raises(ConfigError, match="is there already"):
        write_private(folder / "link", b"new")
    write_private(folder / "link", b"new", replace=True)
    assert not (folder / "link").is_symlink()
    assert (folder / "target").read_text(encoding="utf-8") == "mine"
    (folder / "again").symlink_to(folder / "link")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_private(folder / "again")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_private(folder / "a", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os if step == "fsync" else Path, step, full)
        with pytest.raises(StorageError, match="a cannot be written: No space left") as caught:
            write_private(folder / "a", b"new", replace=True)
    assert caught.value.remedy
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("a", b"old")]


def test_file_and_folder_are_forced_to_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(stat.S_ISDIR(os.fstat(handle).st_mode)))
    write_private(folder / "a", b"x")
    sync_folder(folder)
    assert synced == [False, True, True]


def test_a_missing_folder_is_made_only_for_output(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_private(tmp_path / "gone" / "a", b"x")
    write_output(tmp_path / "gone" / "a", "x")
    write_output(tmp_path / "gone" / "a", "y")
    assert mode(tmp_path / "gone") == 0o700
    assert (mode(tmp_path / "gone" / "a"), (tmp_path / "gone" / "a").read_text("utf-8")) == (0o600, "y")


def test_output_leaves_the_mode_of_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o755)
    write_output(tmp_path / "out" / "a", b"x")
    assert mode(tmp_path / "out") == 0o755
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        write_output(tmp_path / "file" / "a", b"x")
