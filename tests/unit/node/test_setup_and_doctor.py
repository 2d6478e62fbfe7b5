"""A node's first steps, and what the doctor finds when one of them went wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from saferoom.errors import ConfigError, RefusedError, SafeRoomError, StorageError, VerificationError
from saferoom.ids import COORDINATOR
from saferoom.jobs.home import Home
from saferoom.node.core import Core
from saferoom.node.doctor import Finding, examine
from saferoom.node.settings import NodeSettings, load_settings
from saferoom.node.setup import enrol, init_coordinator, init_party, join, read_text

NOW = datetime.now(UTC)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[tuple[Core, int]]:
    """A coordinator, and the port at which somebody listens in its place."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = int(listener.getsockname()[1])
        home = Home.at(tmp_path / "coordinator")
        address = f"127.0.0.1:{port}"
        settings = NodeSettings(
            role="coordinator",
            node_id=COORDINATOR,
            organisation="centre",
            listen=address,
            public_address=address,
        )
        init_coordinator(home, settings, NOW)
        with Core.opened(home) as core:
            yield core, port


@pytest.fixture
def tax(tmp_path: Path, centre: tuple[Core, int]) -> Home:
    home = Home.at(tmp_path / "tax")
    request = init_party(home, "tax", "tax bureau", NOW)
    _, welcome = enrol(centre[0], request, NOW, None, None)
    with Core.opened(home) as core:
        join(core, welcome, NOW, None)
    return home


def finding(home: Home, what: str) -> Finding:
    return next(found for found in examine(home) if found.what == what)


def test_a_node_that_is_well(tax: Home) -> None:
    found = {found.what: found for found in examine(tax)}
    assert set(found) >= {
        "settings",
        "keys",
        "certificate",
        "clock",
        "coordinator",
        "proxy",
        "disk",
        "memory",
    }
    for what in ("settings", "keys", "certificate", "clock", "coordinator"):
        assert found[what].ok, found[what]
    assert "party tax" in found["settings"].text


def test_keys_that_others_can_read(tax: Home) -> None:
    (tax.keys / "sealing.pem").chmod(0o644)
    found = finding(tax, "keys")
    assert not found.ok
    assert "sealing.pem" in found.text and "chmod 600" in found.text


def test_a_node_that_has_not_joined(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "power")
    init_party(home, "power", "power company", NOW)
    assert "saferoom party join" in finding(home, "certificate").text
    assert not finding(home, "coordinator").ok
    with Core.opened(home) as core, pytest.raises(ConfigError) as caught:
        core.tls()
    assert caught.value.party == "power" and "join" in caught.value.remedy


def test_a_coordinator_that_cannot_be_reached(tax: Home, centre: tuple[Core, int]) -> None:
    text = tax.welcome.read_text("utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tax.welcome.write_text(text.replace(str(centre[1]), str(port)), encoding="utf-8")
    found = finding(tax, "coordinator")
    assert not found.ok and str(port) in found.text


def test_a_check_that_cannot_be_made_is_a_failed_one(tax: Home) -> None:
    tax.welcome.write_text("{", encoding="utf-8")
    assert not finding(tax, "certificate").ok
    tax.settings.write_text("role: dictator\n", encoding="utf-8")
    assert not finding(tax, "settings").ok


def test_a_certificate_that_runs_out(tax: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return NOW + timedelta(days=350)

    monkeypatch.setattr("saferoom.node.doctor.datetime", Later)
    found = finding(tax, "certificate")
    assert found.ok and "15 days left; " in found.text


def test_no_home_no_diagnosis(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no node"):
        examine(Home.at(tmp_path / "nowhere"))


def test_a_home_is_made_once(tax: Home) -> None:
    before = (tax.keys / "signing.pem").read_bytes()
    with pytest.raises(ConfigError, match="already holds a node"):
        init_party(tax, "tax", "tax bureau", NOW)
    assert (tax.keys / "signing.pem").read_bytes() == before


@pytest.mark.parametrize("party", ["", "Tax", "../tax", "tax bureau", "t" * 32, COORDINATOR])
def test_names_that_are_none(tmp_path: Path, centre: tuple[Core, int], party: str) -> None:
    with pytest.raises(SafeRoomError):
        request = init_party(Home.at(tmp_path / "odd"), party, "odd", NOW)
        enrol(centre[0], request, NOW, None, None)


def test_an_id_that_is_taken(tmp_path: Path, tax: Home, centre: tuple[Core, int]) -> None:
    other = init_party(Home.at(tmp_path / "other"), "tax", "another bureau", NOW)
    with pytest.raises(RefusedError, match="other keys"):
        enrol(centre[0], other, NOW, None, None)


def test_a_request_whose_fingerprint_is_not_the_one_read_out(
    tmp_path: Path, tax: Home, centre: tuple[Core, int]
) -> None:
    request = init_party(Home.at(tmp_path / "power"), "power", "power company", NOW)
    with Core.opened(tax) as core:
        of_another = core.keys.public().fingerprint()
    with pytest.raises(VerificationError):
        enrol(centre[0], request, NOW, None, of_another)


def test_a_welcome_for_somebody_else(tmp_path: Path, tax: Home) -> None:
    home = Home.at(tmp_path / "power")
    init_party(home, "power", "power company", NOW)
    with Core.opened(home) as core, pytest.raises(SafeRoomError):
        join(core, tax.welcome.read_text("utf-8"), NOW, None)
    assert not home.welcome.exists()


def test_enrolment_stands_in_both_logs(tax: Home, centre: tuple[Core, int]) -> None:
    with Core.opened(tax) as core:
        assert b"party.joined" in b"".join(data for _, data in core.log.entries())
    assert b"party.enrolled" in b"".join(data for _, data in centre[0].log.entries())


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "power")
    init_party(home, "power", "power company", NOW, "correct horse")
    for wrong in (None, "", "battery staple"):
        with pytest.raises(SafeRoomError):
            Core(home, wrong)
    with Core.opened(home, "correct horse") as core:
        assert core.me == "power"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "role: party", "role: party\nnode_id: tax\norganisation: x\nsecret: 1\n", "a: [", "\x00"],
)
def test_settings_that_are_wrong_name_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert "node.yaml" in caught.value.message and caught.value.remedy


def test_a_text_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    for name in ("x", "missing"):
        with pytest.raises(StorageError, match="welcome"):
            read_text(tmp_path / name, "welcome")
