"""Keys at the node: stored privately, encrypted if asked, never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from saferoom.errors import ConfigError
from saferoom.identity.keys import NodeKeys

FILES = {"signing.pem", "sealing.pem", "log.pem", "tls.pem", "node.json"}


def test_keys_come_back_as_they_were_made(tmp_path: Path) -> None:
    made = NodeKeys.create(tmp_path / "keys", "bank")
    loaded = NodeKeys.load(tmp_path / "keys")
    assert loaded.public() == made.public()
    assert loaded.tls_private_pem() == made.tls_private_pem()
    assert loaded.sealing_private_bytes() == made.sealing_private_bytes()
    assert len(loaded.sealing_private_bytes()) == 32
    assert len({loaded.public().signing, loaded.public().sealing, loaded.public().log}) == 3


def test_two_nodes_never_share_a_key() -> None:
    one, other = NodeKeys.generate("bank").public(), NodeKeys.generate("bank").public()
    assert not {one.signing, one.sealing, one.log} & {other.signing, other.sealing, other.log}


def test_only_the_owner_may_touch_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "node" / "keys"
    NodeKeys.create(folder, "bank")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
@pytest.mark.parametrize("name", ["signing.pem", "tls.pem"])
def test_a_file_open_to_others_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    NodeKeys.create(tmp_path / "keys", "bank")
    (tmp_path / "keys" / name).chmod(mode)
    with pytest.raises(ConfigError, match="open to other users") as caught:
        NodeKeys.load(tmp_path / "keys")
    assert "chmod 600" in caught.value.remedy


@pytest.mark.parametrize("mode", [0o750, 0o701])
def test_a_folder_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    NodeKeys.create(tmp_path / "keys", "bank")
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(ConfigError, match="open to other users"):
        NodeKeys.load(tmp_path / "keys")


def test_a_link_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    NodeKeys.create(tmp_path / "keys", "bank")
    signing = tmp_path / "keys" / "signing.pem"
    signing.rename(tmp_path / "elsewhere.pem")
    signing.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(ConfigError, match="cannot be read"):
        NodeKeys.load(tmp_path / "keys")


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    before = NodeKeys.create(tmp_path / "keys", "bank").public()
    with pytest.raises(ConfigError, match="never overwritten"):
        NodeKeys.create(tmp_path / "keys", "bank")
    assert NodeKeys.load(tmp_path / "keys").public() == before
    assert [path.name for path in tmp_path.iterdir()] == ["keys"], "nothing half-made is left"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NodeKeys]:
    folder = tmp_path_factory.mktemp("locked") / "keys"
    return folder, NodeKeys.create(folder, "tax", "通行词 one")


def test_a_passphrase_locks_every_key(locked: tuple[Path, NodeKeys]) -> None:
    folder, made = locked
    assert NodeKeys.load(folder, "通行词 one").public() == made.public()
    for path in folder.glob("*.pem"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


@pytest.mark.parametrize("passphrase", ["wrong", None, ""])
def test_without_the_passphrase_nothing_opens(locked: tuple[Path, NodeKeys], passphrase: str | None) -> None:
    with pytest.raises(ConfigError, match="passphrase") as caught:
        NodeKeys.load(locked[0], passphrase)
    assert "passphrase" in caught.value.remedy


def test_an_empty_passphrase_is_not_taken_for_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="empty"):
        NodeKeys.create(tmp_path / "keys", "bank", "")
    assert list(tmp_path.iterdir()) == []


def test_the_same_passphrase_typed_decomposed_opens(tmp_path: Path) -> None:
    NodeKeys.create(tmp_path / "keys", "bank", "caf\u00e9")
    assert NodeKeys.load(tmp_path / "keys", "cafe\u0301").node_id == "bank"


def test_missing_damaged_and_swapped_keys_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(ConfigError, match="missing"):
        NodeKeys.load(folder)
    NodeKeys.create(folder, "bank")
    (folder / "sealing.pem").write_bytes((folder / "signing.pem").read_bytes())
    with pytest.raises(ConfigError, match="another kind of key"):
        NodeKeys.load(folder)
    (folder / "sealing.pem").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="not a private key"):
        NodeKeys.load(folder)


def test_repr_shows_no_key() -> None:
    assert repr(NodeKeys.generate("bank")) == "NodeKeys('bank')"
