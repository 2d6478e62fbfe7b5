"""Reading and checking X.509 certificates: whose, by whom, for what, until when."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from saferoom.errors import UsageError, VerificationError

SECONDS_A_DAY = 86_400
PARTY_USE = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_USE = ExtendedKeyUsageOID.SERVER_AUTH


def check_aware(now: datetime) -> datetime:
    """Return `now` if it names its time zone. Raises UsageError."""
    if now.tzinfo is None:
        raise UsageError("a time must carry its time zone")
    return now


def parse_certificate(pem: str) -> x509.Certificate:
    """Exactly one certificate. Raises VerificationError."""
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode("ascii"))
    except (ValueError, UnicodeEncodeError) as exc:
        raise VerificationError("expected one X.509 certificate in PEM form") from exc
    return certificate


def common_name(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """The one common name, which is the node id. Raises VerificationError."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise VerificationError(f"the subject must have one common name, it has {len(names)}")
    return str(names[0].value)


def days_left(pem: str, now: datetime) -> float:
    """Days until the certificate ends; negative when it has. For `doctor`."""
    end = parse_certificate(pem).not_valid_after_utc
    return (end - check_aware(now)).total_seconds() / SECONDS_A_DAY


def check_certificate(
    pem: str, ca_pem: str, node_id: str, now: datetime, use: x509.ObjectIdentifier = PARTY_USE
) -> x509.Certificate:
    """Return the certificate if the CA issued it to `node_id` for `use` and it is valid now.

    1. the CA certificate is a CA's and is valid now; 2. it signed this certificate; 3. the certificate is
    valid now; 4. its common name is the node id; 5. it allows the use. Raises VerificationError.
    """
    certificate, authority = parse_certificate(pem), parse_certificate(ca_pem)
    check_authority(authority, now)
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError) as exc:
        raise VerificationError(
            "the certificate was not issued by this room's authority",
            party=node_id,
            remedy="ask the coordinator for the welcome file again",
        ) from exc
    _check_dates(certificate, now, node_id)
    if common_name(certificate) != node_id:
        raise VerificationError(
            f"the certificate is for another node than {node_id}",
            party=node_id,
            remedy="ask the coordinator for the welcome file made for this node",
        )
    if use not in _uses(certificate):
        raise VerificationError("the certificate is not for this use (client or server)", party=node_id)
    return certificate


def check_authority(certificate: x509.Certificate, now: datetime) -> None:
    """Raise VerificationError unless this is a CA's certificate, self-signed, and valid now."""
    try:
        is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(certificate)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError) as exc:
        raise VerificationError("this is not an authority's self-signed certificate") from exc
    if not is_ca:
        raise VerificationError("this is not an authority's certificate")
    _check_dates(certificate, now, common_name(certificate))


def public_key_of(certificate: x509.Certificate | x509.CertificateSigningRequest) -> EllipticCurvePublicKey:
    """The EC key inside. Raises VerificationError for another kind."""
    key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise VerificationError("TLS keys are EC P-256")
    return key


def make_csr(key: EllipticCurvePrivateKey, node_id: str) -> str:
    """A PKCS #10 request (PEM) by which a node shows that it holds its TLS key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode("ascii")


def parse_csr(pem: str, node_id: str) -> x509.CertificateSigningRequest:
    """Return the request if it is signed by its own key and for `node_id`. Raises VerificationError."""
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
    except (ValueError, UnicodeEncodeError) as exc:
        raise VerificationError("expected a certificate request in PEM form", party=node_id) from exc
    public_key_of(request)
    if not request.is_signature_valid or common_name(request) != node_id:
        raise VerificationError(
            "the certificate request is not this node's own", party=node_id, remedy="run `party init` again"
        )
    return request


def _check_dates(certificate: x509.Certificate, now: datetime, node_id: str) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= check_aware(now) <= end:
        raise VerificationError(
            f"the certificate is valid from {start:%Y-%m-%d} to {end:%Y-%m-%d}, not at {now:%Y-%m-%d %H:%M}",
            party=node_id,
            remedy="check this machine's clock; if it is right, enrol again for a new certificate",
        )


def _uses(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []
