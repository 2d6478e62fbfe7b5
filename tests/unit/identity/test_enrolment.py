"""Enrolment by files: what is verified, and that every change to a file is noticed."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from saferoom.errors import ConfigError, SafeRoomError, VerificationError
from saferoom.identity.authority import Authority
from saferoom.identity.certificates import make_csr
from saferoom.identity.enrolment import (
    PAPER_DAYS,
    Enroller,
    Welcome,
    load_welcome,
    read_request,
    read_welcome,
    store_welcome,
    write_request,
    write_welcome,
)
from saferoom.identity.keys import NodeKeys
from saferoom.identity.signing import encode_base64, sign_statement

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
BANK, TAX = NodeKeys.generate("bank"), NodeKeys.generate("tax")
COORDINATOR, HELPER = NodeKeys.generate("coordinator"), NodeKeys.generate("helper")
ENROLLER = Enroller(Authority.generate(NOW), COORDINATOR, HELPER.public(), "room.example.cn:7443")
REQUEST = write_request(BANK, "示例银行", NOW)
WELCOME, ENTRY = write_welcome(read_request(REQUEST, NOW), ENROLLER, NOW)


def signed_again(paper: str, signer: NodeKeys, /, **changes: Any) -> str:
    document = json.loads(paper)
    document["body"] |= changes
    document["signature"] = encode_base64(sign_statement(signer.signing, document["kind"], document["body"]))
    return json.dumps(document)


def test_a_party_joins(tmp_path: Path) -> None:
    request = read_request(REQUEST, NOW, expect=BANK.public().fingerprint())
    assert (request.organisation, request.keys) == ("示例银行", BANK.public())
    path = tmp_path / "welcome.json"
    tmp_path.chmod(0o700)
    welcome = store_welcome(path, WELCOME, BANK, NOW, expect=COORDINATOR.public().fingerprint())
    assert welcome.address == "room.example.cn:7443"
    assert (welcome.coordinator, welcome.helper) == (COORDINATOR.public(), HELPER.public())
    assert ENTRY.keys == BANK.public()
    assert ENTRY.certificate_pem == welcome.certificate_pem
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    later = NOW + timedelta(days=PAPER_DAYS + 100)
    assert load_welcome(path, BANK, later) == welcome, "what is stored counts as long as the certificate"


def test_what_is_stored_ends_with_the_certificate(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    store_welcome(tmp_path / "w.json", WELCOME, BANK, NOW)
    with pytest.raises(VerificationError, match="certificate is valid from"):
        load_welcome(tmp_path / "w.json", BANK, NOW + timedelta(days=400))


@pytest.mark.parametrize("field", ["organisation", "csr", "created"])
def test_a_changed_request_is_noticed(field: str) -> None:
    document = json.loads(REQUEST)
    document["body"][field] = document["body"][field].replace(document["body"][field][3], "x", 1)
    with pytest.raises(VerificationError, match="does not verify"):
        read_request(json.dumps(document), NOW)


def test_changed_keys_are_noticed_in_a_request() -> None:
    document = json.loads(REQUEST)
    for name in ("signing", "sealing", "log", "node_id"):
        changed = json.loads(REQUEST)
        changed["body"]["keys"][name] = TAX.public().to_json()[name]
        with pytest.raises(VerificationError):
            read_request(json.dumps(changed), NOW)
    assert read_request(json.dumps(document), NOW).keys == BANK.public()


@pytest.mark.parametrize("field", ["address", "ca", "certificate", "created"])
def test_a_changed_welcome_is_noticed(field: str) -> None:
    document = json.loads(WELCOME)
    document["body"][field] += "0"
    with pytest.raises(VerificationError, match="does not verify"):
        read_welcome(json.dumps(document), BANK, NOW)


@pytest.mark.parametrize("field", ["coordinator", "helper", "party"])
def test_changed_keys_are_noticed_in_a_welcome(field: str) -> None:
    document = json.loads(WELCOME)
    document["body"][field]["sealing"] = TAX.public().to_json()["sealing"]
    with pytest.raises(VerificationError, match="does not verify"):
        read_welcome(json.dumps(document), BANK, NOW)


def test_a_request_signed_anew_by_another_fails_the_fingerprint() -> None:
    forged = signed_again(write_request(NodeKeys.generate("bank"), "示例银行", NOW), BANK)
    with pytest.raises(VerificationError):
        read_request(forged, NOW)
    impostor = write_request(NodeKeys.generate("bank"), "示例银行", NOW)
    with pytest.raises(VerificationError, match="fingerprint"):
        read_request(impostor, NOW, expect=BANK.public().fingerprint())


def test_a_welcome_of_another_coordinator_fails_the_fingerprint() -> None:
    other = NodeKeys.generate("coordinator")
    enroller = Enroller(Authority.generate(NOW), other, HELPER.public(), ENROLLER.address)
    welcome, _ = write_welcome(read_request(REQUEST, NOW), enroller, NOW)
    with pytest.raises(VerificationError, match="fingerprint"):
        read_welcome(welcome, BANK, NOW, expect=COORDINATOR.public().fingerprint())


def test_a_welcome_for_another_party_is_refused() -> None:
    with pytest.raises(VerificationError, match="for other keys than ours"):
        read_welcome(WELCOME, TAX, NOW)


def test_a_certificate_for_another_tls_key_is_refused() -> None:
    other = NodeKeys.generate("bank")
    csr = make_csr(other.tls, "bank")
    request = read_request(signed_again(REQUEST, BANK, csr=csr), NOW)
    welcome, _ = write_welcome(request, ENROLLER, NOW)
    with pytest.raises(VerificationError, match="another TLS key"):
        read_welcome(welcome, BANK, NOW)


def test_a_certificate_of_another_authority_is_refused() -> None:
    forged = signed_again(WELCOME, COORDINATOR, ca=Authority.generate(NOW).certificate_pem)
    with pytest.raises(VerificationError, match="not issued by this room"):
        read_welcome(forged, BANK, NOW)


def test_only_a_coordinator_welcomes() -> None:
    enroller = Enroller(ENROLLER.authority, TAX, HELPER.public(), ENROLLER.address)
    welcome, _ = write_welcome(read_request(REQUEST, NOW), enroller, NOW)
    with pytest.raises(VerificationError, match="does not come from a coordinator"):
        read_welcome(welcome, BANK, NOW)


@pytest.mark.parametrize("when", [NOW + timedelta(days=PAPER_DAYS, hours=1), NOW - timedelta(hours=2)])
def test_papers_do_not_count_for_ever(tmp_path: Path, when: datetime) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(VerificationError):
        read_request(REQUEST, when)
    with pytest.raises(VerificationError):
        store_welcome(tmp_path / "w.json", WELCOME, BANK, when)
    assert list(tmp_path.iterdir()) == []


def test_the_two_papers_are_not_confused() -> None:
    with pytest.raises(VerificationError, match="expected a saferoom/welcome"):
        read_welcome(REQUEST, BANK, NOW)
    with pytest.raises(VerificationError, match="expected a saferoom/enrolment-request"):
        read_request(WELCOME, NOW)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "[" * 100_000, "x" * 200_000, '{"kind":"saferoom/welcome/v1"}']
)
def test_garbage_ends_in_an_error_of_ours(text: str) -> None:
    for read in (lambda: read_request(text, NOW), lambda: read_welcome(text, BANK, NOW)):
        with pytest.raises(VerificationError):
            read()


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(VerificationError, match="exactly the fields"):
        read_request(signed_again(REQUEST, BANK, extra=1), NOW)


@pytest.mark.parametrize("name", ["coordinator", "helper"])
def test_reserved_names_are_refused(name: str) -> None:
    keys = NodeKeys.generate(name)
    with pytest.raises(ConfigError, match="cannot be called"):
        write_request(keys, "x", NOW)
    forged = signed_again(REQUEST, keys, keys=keys.public().to_json(), csr=make_csr(keys.tls, name))
    with pytest.raises(ConfigError, match="cannot be called"):
        read_request(forged, NOW)


@pytest.mark.parametrize("name", ["", " x", "a\x1b[31m", "a\u202eb", "x" * 201])
def test_names_that_could_deceive_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        write_request(BANK, name, NOW)


@pytest.mark.parametrize("address", ["room", "room:", ":7443", "room:0", "room:70000", "ro om:1", "room:７"])
def test_addresses_that_are_none_are_refused(address: str) -> None:
    enroller = Enroller(ENROLLER.authority, COORDINATOR, HELPER.public(), address)
    with pytest.raises(ConfigError, match="host:port"):
        write_welcome(read_request(REQUEST, NOW), enroller, NOW)


def test_every_flipped_character_is_noticed() -> None:
    """Nothing in a welcome can be changed without an error, or without changing what is read."""
    truth = read_welcome(WELCOME, BANK, NOW)
    for place in range(0, len(WELCOME), 37):
        changed = WELCOME[:place] + chr(ord(WELCOME[place]) ^ 1) + WELCOME[place + 1 :]
        try:
            read: Welcome | None = read_welcome(changed, BANK, NOW)
        except SafeRoomError:
            continue
        assert read == truth, f"place {place}: another welcome was accepted"
