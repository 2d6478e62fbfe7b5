"""The coordinator's certificate authority: it says which TLS key is which node's, and nothing else.

It cannot read what parties say to each other, nor sign for them: their signing and sealing keys are pinned
in contracts. A folder of mode 0700 holds `ca.pem` (EC P-256, PKCS #8), `ca.crt`, and `enrolled.json`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from saferoom.errors import ConfigError
from saferoom.files.private import make_private_folder, read_private, write_private
from saferoom.identity.certificates import (
    PARTY_USE,
    SERVER_USE,
    check_authority,
    check_aware,
    parse_certificate,
    public_key_of,
)
from saferoom.identity.keys import load_ec_key, store_key
from saferoom.ids import COORDINATOR

CA_YEARS = 10
DEFAULT_DAYS = 397
LOCAL_HOSTS = ("localhost", "127.0.0.1")
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, repr=False)
class Authority:
    """The CA's key and its self-signed certificate."""

    key: EllipticCurvePrivateKey
    certificate_pem: str

    @classmethod
    def generate(cls, now: datetime, years: int = CA_YEARS) -> Authority:
        key = generate_private_key(SECP256R1())
        name = _name("SafeRoom authority")
        builder = (
            _builder(name, name, key.public_key(), now, timedelta(days=365 * years))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(key, _pem(builder.sign(key, SHA256())))

    @classmethod
    def create(cls, folder: Path, now: datetime, passphrase: str | None = None) -> Authority:
        """Make the authority and store it. Raises ConfigError if `folder` has one already."""
        authority = cls.generate(now)
        make_private_folder(folder)
        store_key(folder / "ca.pem", authority.key, passphrase)
        write_private(folder / "ca.crt", authority.certificate_pem.encode("ascii"))
        return authority

    @classmethod
    def load(cls, folder: Path, now: datetime, passphrase: str | None = None) -> Authority:
        """Read it back. Raises ConfigError (files, passphrase), VerificationError (certificate expired)."""
        key = load_ec_key(folder / "ca.pem", passphrase)
        pem = read_private(folder / "ca.crt").decode("ascii", errors="replace")
        certificate = parse_certificate(pem)
        check_authority(certificate, now)
        if public_key_of(certificate) != key.public_key():
            raise ConfigError(f"{folder}/ca.pem and ca.crt do not belong together", remedy="restore both")
        return cls(key, pem)

    def issue(self, csr: x509.CertificateSigningRequest, node_id: str, days: int, now: datetime) -> str:
        """A client certificate (PEM) for `node_id`; the request has been checked by `parse_csr`."""
        builder = self._leaf(public_key_of(csr), node_id, days, now)
        return self._sign(builder, [x509.DNSName(node_id)], PARTY_USE)

    def issue_server(
        self, public_key: EllipticCurvePublicKey, days: int, now: datetime, hosts: Sequence[str] = ()
    ) -> str:
        """A server certificate for `coordinator`, this machine, and `hosts` (names or addresses)."""
        names = dict.fromkeys([COORDINATOR, *LOCAL_HOSTS, *hosts])
        builder = self._leaf(public_key, COORDINATOR, days, now)
        return self._sign(builder, [_general_name(host) for host in names], SERVER_USE)

    def _leaf(
        self, public_key: EllipticCurvePublicKey, node_id: str, days: int, now: datetime
    ) -> x509.CertificateBuilder:
        issuer = parse_certificate(self.certificate_pem)
        lifetime = min(timedelta(days=days), issuer.not_valid_after_utc - check_aware(now))
        return _builder(_name(node_id), issuer.subject, public_key, now, lifetime)

    def _sign(
        self, builder: x509.CertificateBuilder, names: Sequence[x509.GeneralName], use: x509.ObjectIdentifier
    ) -> str:
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(issuer_key, critical=False)
        )
        return _pem(builder.sign(self.key, SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(check_aware(now) - _CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as exc:
        raise ConfigError(
            "a host name must be ASCII", remedy="write international names in punycode"
        ) from exc


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")
