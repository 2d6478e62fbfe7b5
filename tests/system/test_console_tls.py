"""The console over TLS: whoever has no certificate that was let in gets no connection."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from saferoom.identity.authority import Authority
from tests.console_process import Serving, serving
from tests.console_room import LogRoom
from tests.waiting import LIMIT_S

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Papers:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def _write(folder: Path, name: str, key: EllipticCurvePrivateKey, certificate: str) -> Papers:
    papers = Papers(folder / f"{name}.crt", folder / f"{name}.pem")
    papers.certificate.write_text(certificate, encoding="ascii")
    papers.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return papers


def _person(folder: Path, name: str, authority: Authority) -> Papers:
    key = generate_private_key(SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256())
    return _write(folder, name, key, authority.issue(request, name, 30, NOW))


@dataclass(frozen=True)
class Setting:
    console: Serving
    authority: Path
    auditor: Papers
    colleague: Papers


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """A console that lets one auditor in, by the auditor's own certificate."""
    folder = tmp_path_factory.mktemp("tls")
    authority, key = Authority.generate(NOW), generate_private_key(SECP256R1())
    server = _write(folder, "console", key, authority.issue_server(key.public_key(), 30, NOW))
    (folder / "ca.crt").write_text(authority.certificate_pem, encoding="ascii")
    auditor, colleague = (_person(folder, name, authority) for name in ("auditor", "colleague"))
    room = LogRoom(folder, ("bank",))
    room.record("bank", "node.started")
    room.close()
    own = ("--certificate", str(server.certificate), "--certificate-key", str(server.key))
    with serving(room, *own, "--clients", str(auditor.certificate)) as console:
        yield Setting(console, folder / "ca.crt", auditor, colleague)


def _get(setting: Setting, papers: Papers | None) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(setting.authority))
    if papers:
        context.load_cert_chain(papers.certificate, papers.key)
    host = setting.console.address.removeprefix("https://").rstrip("/")
    connection = http.client.HTTPSConnection(host, context=context, timeout=LIMIT_S)
    connection.request("GET", "/")
    return connection.getresponse()


def test_the_auditor_needs_no_token(setting: Setting) -> None:
    answer = _get(setting, setting.auditor)
    assert answer.status == 200
    assert "token" not in setting.console.printed.read_text(encoding="utf-8")


def test_others_get_no_connection(setting: Setting) -> None:
    for papers in (None, setting.colleague):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _get(setting, papers)
