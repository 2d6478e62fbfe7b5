"""Certificates: plain words before a connection is tried, and who a caller is."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from saferoom.errors import ConfigError
from saferoom.link.settings import is_loopback
from saferoom.link.transport.tls import TlsMaterial, check_material, party_of
from tests.link_helpers import Authority

HERE, ELSEWHERE = Authority(), Authority()
GOOD = HERE.issue("bank")
NOW = datetime.datetime.now(datetime.UTC)


def test_good_material_passes() -> None:
    check_material(GOOD, "bank", NOW)


@pytest.mark.parametrize(
    ("tls", "complaint"),
    [
        (HERE.issue("tax"), "not made out to 'bank'"),
        (HERE.issue("bank", valid_days=(-9, -1)), "expired on"),
        (HERE.issue("bank", valid_days=(1, 2)), "not valid yet"),
        (replace(GOOD, ca_pem=ELSEWHERE.pem), "not signed by the authority"),
        (replace(GOOD, key_pem=HERE.issue("bank").key_pem), "key does not belong"),
        (replace(GOOD, certificate_pem=b"nonsense"), "not PEM"),
    ],
    ids=["name", "expired", "early", "authority", "key", "garbage"],
)
def test_bad_material_is_told_with_a_remedy(tls: TlsMaterial, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        check_material(tls, "bank", NOW)
    assert caught.value.remedy


def test_keys_do_not_show_in_a_repr() -> None:
    assert b"PRIVATE" in GOOD.key_pem
    assert "PRIVATE" not in repr(GOOD)


def test_a_caller_is_who_the_certificate_says_and_nobody_else() -> None:
    assert party_of({"x509_common_name": [b"bank"], "x509_subject_alternative_name": [b"tax"]}) == "bank"
    assert party_of({"x509_subject_alternative_name": [b"tax"]}) is None
    assert party_of({"x509_common_name": [b"bank", b"tax"]}) is None


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("10.0.0.1:1", False),
        ("a.example:1", False),
    ],
)
def test_a_proxy_is_not_used_to_this_machine(address: str, is_local: bool) -> None:
    assert is_loopback(address) is is_local
