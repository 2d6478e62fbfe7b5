"""Mutual TLS: the material, the credentials made of it, and plain words for what is wrong with it.

gRPC reports a refused certificate as "unavailable". So a party whose connection fails looks at its own
certificate before it says anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from saferoom.errors import ConfigError

SERVER_NAME = "coordinator"


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """The authority's certificate, our certificate, and its private key, all PEM."""

    ca_pem: bytes
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


def check_material(tls: TlsMaterial, name: str, now: datetime.datetime) -> None:
    """Raise ConfigError, saying what to do, unless this certificate can speak for `name` now."""
    try:
        certificate = x509.load_pem_x509_certificate(tls.certificate_pem)
        authority = x509.load_pem_x509_certificate(tls.ca_pem)
        key = serialization.load_pem_private_key(tls.key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError("a certificate or key file is not PEM", remedy="enrol this node again") from error
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise ConfigError(
            "our private key does not belong to our certificate", remedy="enrol this node again"
        )
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if [attribute.value for attribute in common] != [name]:
        raise ConfigError(f"our certificate is not made out to {name!r}", remedy="enrol under that name")
    if now >= certificate.not_valid_after_utc:
        raise ConfigError(
            f"our certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}",
            remedy="ask the coordinator for a new one: enrol again",
        )
    if now < certificate.not_valid_before_utc:
        raise ConfigError("our certificate is not valid yet", remedy="set this machine's clock right")
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ConfigError(
            "our certificate is not signed by the authority in our settings",
            remedy="take both from the same enrolment",
        ) from error


def server_credentials(tls: TlsMaterial) -> grpc.ServerCredentials:
    """A server that asks every caller for a certificate of the authority."""
    return grpc.ssl_server_credentials(
        [(tls.key_pem, tls.certificate_pem)], root_certificates=tls.ca_pem, require_client_auth=True
    )


def channel_credentials(tls: TlsMaterial) -> grpc.ChannelCredentials:
    """A caller that trusts the authority alone and shows its own certificate."""
    return grpc.ssl_channel_credentials(
        root_certificates=tls.ca_pem, private_key=tls.key_pem, certificate_chain=tls.certificate_pem
    )


def party_of(auth_context: Mapping[str, Iterable[bytes]]) -> str | None:
    """The caller's party id: the common name its certificate carries, if exactly one."""
    names = list(auth_context.get("x509_common_name", ()))
    return names[0].decode(errors="replace") if len(names) == 1 else None


def serial_of(auth_context: Mapping[str, Iterable[bytes]]) -> int | None:
    """The serial number of the caller's certificate: an older one of the same party has another."""
    pems = list(auth_context.get("x509_pem_cert", ()))
    return x509.load_pem_x509_certificate(pems[0]).serial_number if len(pems) == 1 else None


def _public(key: object) -> bytes:
    encode = getattr(key, "public_bytes")  # noqa: B009 - the union of key classes has no common type
    raw: bytes = encode(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return raw
