"""Running the console: on loopback with a one-time token, or anywhere over TLS with client certificates.

Without TLS only this machine's own addresses are allowed: a session's cookie must not cross a network in
the clear. With `clients` the TLS handshake itself refuses whoever does not hold one of those
certificates' keys, and no token is asked for."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from saferoom.console.access import Access
from saferoom.console.app import create_app
from saferoom.console.desk import Desk
from saferoom.console.reading.evidence import Evidence
from saferoom.errors import ConfigError, UsageError

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the console listens. `certificate` and `key` are its own; `clients` those it lets in."""

    host: str = "127.0.0.1"
    port: int = 8443
    certificate: Path | None = None
    key: Path | None = None
    clients: Path | None = None

    @property
    def secure(self) -> bool:
        return self.certificate is not None

    def check(self) -> None:
        """Raises: UsageError if the console would be open to a network in the clear."""
        if (self.certificate is None) != (self.key is None):
            raise UsageError("a TLS certificate and its key are given together", step="audit serve")
        if self.clients and not self.secure:
            raise UsageError("client certificates need a TLS certificate of the console", step="audit serve")
        if not self.secure and not _is_loopback(self.host):
            raise UsageError(
                f"{self.host} is not this machine's own address, and the console has no TLS certificate",
                step="audit serve",
                remedy="give --certificate and --certificate-key, or leave --host away",
            )

    def context(self) -> ssl.SSLContext:
        """TLS 1.3; with `clients`, a certificate from that file is required. Raises: ConfigError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            context.load_cert_chain(str(self.certificate), str(self.key))
            if self.clients:
                context.load_verify_locations(str(self.clients))
                context.verify_mode = ssl.CERT_REQUIRED
                # The file may hold the auditors' own certificates, which no authority signed.
                context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        except (ssl.SSLError, OSError) as exc:
            raise ConfigError(
                f"the console's TLS files cannot be used ({type(exc).__name__})",
                step="audit serve",
                remedy="give PEM files: certificate, its key, and the certificates to let in",
            ) from exc
        return context


def serve(evidence: Evidence, place: Place, lang: str, told: Told) -> None:
    """Serve until interrupted. `told` gets what the terminal shows: the address, each next token.

    Raises: UsageError, ConfigError; StorageError never: a log that cannot be read is shown so.
    """
    place.check()
    listening = _listen(place)
    try:
        _run(evidence, place, lang, told, listening)
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
        evidence.stop()


def _run(evidence: Evidence, place: Place, lang: str, told: Told, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    address = f"{'https' if place.secure else 'http'}://{_in_url(place.host)}:{port}"
    open_to_all = place.clients is not None
    access = Access(lambda token: told(f"{address}/login?token={token}"), open_to_all=open_to_all)
    desk = Desk(evidence, access, lang, hosts=(_in_url(place.host),), secure=place.secure)
    config = uvicorn.Config(
        create_app(desk),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
    )
    config.load()
    if place.secure:
        config.ssl = place.context()
    evidence.start()
    if open_to_all:
        told(f"{address}/")
    else:
        access.invite()
    uvicorn.Server(config).run(sockets=[listening])


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family)
    except OSError as exc:
        raise ConfigError(
            f"the console cannot listen on {place.host}:{place.port} ({exc.strerror})",
            step="audit serve",
            remedy="name a free port with --port; 0 takes any",
        ) from exc


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
