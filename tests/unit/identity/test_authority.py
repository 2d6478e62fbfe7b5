"""Certificates: chain, dates, names, uses; and the list of admitted nodes."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from saferoom.errors import ConfigError, RefusedError, UsageError, VerificationError
from saferoom.identity.authority import Authority
from saferoom.identity.certificates import (
    PARTY_USE,
    SERVER_USE,
    check_certificate,
    days_left,
    make_csr,
    parse_certificate,
    parse_csr,
)
from saferoom.identity.keys import NodeKeys
from saferoom.identity.register import Enrolled, Register

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
AUTHORITY = Authority.generate(NOW)
BANK = NodeKeys.generate("bank")


def issue(keys: NodeKeys = BANK, days: int = 100, authority: Authority = AUTHORITY) -> str:
    return authority.issue(parse_csr(make_csr(keys.tls, keys.node_id), keys.node_id), keys.node_id, days, NOW)


def test_a_party_certificate_is_what_it_should_be() -> None:
    certificate = check_certificate(issue(), AUTHORITY.certificate_pem, "bank", NOW)
    assert certificate.public_key() == BANK.tls.public_key()
    extensions = certificate.extensions
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [PARTY_USE]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_the_server_certificate_names_the_coordinator_and_its_hosts() -> None:
    pem = AUTHORITY.issue_server(BANK.tls.public_key(), 100, NOW, ["room.example.cn", "10.1.2.3"])
    certificate = check_certificate(pem, AUTHORITY.certificate_pem, "coordinator", NOW, SERVER_USE)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["coordinator", "localhost", "room.example.cn"]
    expected = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("10.1.2.3")]
    assert names.get_values_for_type(x509.IPAddress) == expected


def test_a_party_cannot_pass_for_the_coordinator() -> None:
    with pytest.raises(VerificationError, match="not for this use"):
        check_certificate(issue(), AUTHORITY.certificate_pem, "bank", NOW, SERVER_USE)


def test_serial_numbers_differ() -> None:
    assert parse_certificate(issue()).serial_number != parse_certificate(issue()).serial_number


@pytest.mark.parametrize(
    ("when", "text"), [(NOW - timedelta(hours=2), "valid from"), (NOW + timedelta(days=101), "valid from")]
)
def test_a_certificate_counts_within_its_dates_only(when: datetime, text: str) -> None:
    with pytest.raises(VerificationError, match=text) as caught:
        check_certificate(issue(), AUTHORITY.certificate_pem, "bank", when)
    assert "clock" in caught.value.remedy


def test_another_name_another_authority_and_garbage_are_caught() -> None:
    with pytest.raises(VerificationError, match="another node"):
        check_certificate(issue(), AUTHORITY.certificate_pem, "tax", NOW)
    with pytest.raises(VerificationError, match="not issued by this room"):
        check_certificate(issue(), Authority.generate(NOW).certificate_pem, "bank", NOW)
    with pytest.raises(VerificationError, match="PEM"):
        check_certificate("garbage", AUTHORITY.certificate_pem, "bank", NOW)
    with pytest.raises(VerificationError):
        check_certificate(issue(), issue(), "bank", NOW)


def test_a_party_certificate_cannot_issue_others() -> None:
    rogue = Authority(BANK.tls, issue())
    forged = issue(NodeKeys.generate("tax"), authority=rogue)
    with pytest.raises(VerificationError):
        check_certificate(forged, AUTHORITY.certificate_pem, "tax", NOW)
    with pytest.raises(VerificationError):
        check_certificate(forged, rogue.certificate_pem, "tax", NOW)


def test_days_left() -> None:
    assert days_left(issue(days=100), NOW) == pytest.approx(100)
    assert days_left(issue(days=100), NOW + timedelta(days=101)) == pytest.approx(-1)
    with pytest.raises(UsageError):
        days_left(issue(), datetime(2025, 3, 1))


def test_no_certificate_outlives_its_authority() -> None:
    young = Authority.generate(NOW, years=1)
    assert days_left(issue(days=1000, authority=young), NOW) == pytest.approx(365)


def test_a_request_must_be_its_node_own() -> None:
    with pytest.raises(VerificationError, match="not this node's own"):
        parse_csr(make_csr(BANK.tls, "bank"), "tax")
    with pytest.raises(VerificationError, match="PEM"):
        parse_csr("garbage", "bank")


def test_the_authority_is_stored_and_never_overwritten(tmp_path: Path) -> None:
    made = Authority.create(tmp_path / "ca", NOW, "pass")
    assert Authority.load(tmp_path / "ca", NOW, "pass").certificate_pem == made.certificate_pem
    with pytest.raises(ConfigError, match="passphrase"):
        Authority.load(tmp_path / "ca", NOW)
    with pytest.raises(ConfigError, match="not overwritten"):
        Authority.create(tmp_path / "ca", NOW, "pass")
    with pytest.raises(VerificationError, match="valid from"):
        Authority.load(tmp_path / "ca", NOW + timedelta(days=4000), "pass")


def test_an_authority_with_anothers_certificate_is_refused(tmp_path: Path) -> None:
    Authority.create(tmp_path / "ca", NOW)
    (tmp_path / "ca" / "ca.crt").write_text(AUTHORITY.certificate_pem)
    with pytest.raises(ConfigError, match="do not belong together"):
        Authority.load(tmp_path / "ca", NOW)


def enrolled(keys: NodeKeys = BANK) -> Enrolled:
    return Enrolled("Bank of 示例", keys.public(), issue(keys))


def test_the_register_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "room" / "register.json"
    assert Register.load(path) == Register()
    path.parent.mkdir(mode=0o700)
    tax = NodeKeys.generate("tax")
    register = Register().with_node(enrolled()).with_node(enrolled(tax)).without("tax", NOW)
    register.save(path)
    assert Register.load(path) == register
    assert Register.load(path).public_keys() == {"bank": BANK.public()}
    path.write_text('{"version": 1, "nodes": [{}]}')
    with pytest.raises(ConfigError, match="damaged"):
        Register.load(path)


def test_admission_is_by_id_and_latest_certificate() -> None:
    first = enrolled()
    second = enrolled()
    register = Register().with_node(first)
    assert register.check_admitted("bank", first.serial) == first
    register = register.with_node(second)
    assert register.check_admitted("bank", second.serial) == second
    for node_id, serial in (("bank", first.serial), ("tax", second.serial), ("bank", 1)):
        with pytest.raises(RefusedError, match="not admitted"):
            register.check_admitted(node_id, serial)


def test_who_was_put_out_does_not_come_back() -> None:
    node = enrolled()
    register = Register().with_node(node).without("bank", NOW)
    with pytest.raises(RefusedError, match="not admitted"):
        register.check_admitted("bank", node.serial)
    with pytest.raises(RefusedError, match="put out"):
        register.with_node(enrolled())
    with pytest.raises(ConfigError):
        register.without("tax", NOW)


def test_an_id_is_not_taken_over() -> None:
    with pytest.raises(RefusedError, match="other keys"):
        Register().with_node(enrolled()).with_node(enrolled(NodeKeys.generate("bank")))
