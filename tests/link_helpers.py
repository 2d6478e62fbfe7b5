"""For tests of the link: throw-away certificates, a room with real TLS in this process, and a bad network."""

from __future__ import annotations

import datetime
import math
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from saferoom.link.cipher import FlowKeys
from saferoom.link.job.joblink import JobLink
from saferoom.link.pipe import Pipe
from saferoom.link.relay.relay import Relay
from saferoom.link.settings import DEFAULT_FLOW_LIMITS, FlowLimits, LinkSettings
from saferoom.link.switchboard import JobPort, Switchboard
from saferoom.link.transport.partylink import LinkState, PartyLink
from saferoom.link.transport.tls import TlsMaterial
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
JOB_ID = bytes(range(16))
QUICK = LinkSettings(heartbeat_s=0.2, dead_after_s=60, back_off_s=(0.05, 0.1), connect_timeout_s=20)
"""Comes back soon; does not take a busy machine for a silent peer."""


class Authority:
    """Signs certificates as the coordinator's authority does."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])
        self.pem = self._sign("test authority", self.key, is_ca=True, valid_days=(-1, 1))

    def issue(self, name: str, *, valid_days: tuple[float, float] = (-1, 1)) -> TlsMaterial:
        """Certificate and key for `name`; valid from and until, in days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return TlsMaterial(self.pem, self._sign(name, key, is_ca=False, valid_days=valid_days), pem)

    def _sign(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, is_ca: bool, valid_days: tuple[float, float]
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        begin, end = (now + datetime.timedelta(days=days) for days in valid_days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False
            )
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def pair_keys(name_a: str, name_b: str) -> tuple[FlowKeys, FlowKeys]:
    """Keys for both ends, told apart by the names so that no two pairs share one."""

    def key(sender: str, receiver: str) -> bytes:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(f"{sender}>{receiver}".encode())
        return digest.finalize()

    there, back = key(name_a, name_b), key(name_b, name_a)
    return FlowKeys(there, back), FlowKeys(back, there)


def job_keys(me: str, others: list[str]) -> dict[str, FlowKeys]:
    return {other: pair_keys(me, other)[0] for other in others if other != me}


@dataclass
class Job:
    """A job's end: its link, the pipe under it, and the pipe's other end at the daemon."""

    link: JobLink
    pipe: Pipe
    port: JobPort
    ended: list[bool]
    services: list[tuple[int, bytes]]


def attach_job(
    board: Switchboard,
    me: str,
    peers: list[str],
    *,
    limits: FlowLimits = DEFAULT_FLOW_LIMITS,
    most_wait_s: float = math.inf,
    job_id: bytes = JOB_ID,
    session: int = 0,
) -> Job:
    """A job process's link, run in this process."""
    ours, theirs = Pipe.pair()
    ended: list[bool] = []
    services: list[tuple[int, bytes]] = []
    port = board.attach(
        job_id,
        session,
        ours,
        on_service=lambda kind, payload: services.append((kind, payload)),
        on_ended=ended.append,
    )
    keys = job_keys(me, peers)
    link = JobLink(theirs, me, job_id, session, keys, limits=limits, most_wait_s=most_wait_s)
    return Job(link, theirs, port, ended, services)


@dataclass
class Daemon:
    """A party's daemon: its line and its jobs."""

    name: str
    link: PartyLink
    board: Switchboard
    controls: list[bytes] = field(default_factory=list)
    states: list[LinkState] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)

    def wait_up(self) -> None:
        until(lambda: self.link.state.is_up)


def start_daemon(
    name: str, address: str, tls: TlsMaterial, *, settings: LinkSettings = QUICK, keep_frames: bool = False
) -> Daemon:
    """A party's daemon in this process. `keep_frames`: collect frames instead of handing them to jobs."""
    daemon: Daemon

    def on_state(state: LinkState) -> None:
        daemon.states.append(state)
        if state.is_up:
            daemon.board.link_up()
        else:
            daemon.board.link_down(state.reason)

    def on_frame(frame: bytes) -> None:
        if keep_frames:
            daemon.frames.append(frame)
        else:
            daemon.board.deliver(frame)

    link = PartyLink(
        address,
        name,
        tls,
        on_control=lambda message: daemon.controls.append(message),  # noqa: PLW0108 - made below
        on_frame=on_frame,
        on_state=on_state,
        settings=settings,
    )
    daemon = Daemon(name, link, Switchboard(name, link.send_frame))
    link.start()
    return daemon


def attach_all(daemons: dict[str, Daemon], *, limits: FlowLimits = DEFAULT_FLOW_LIMITS) -> dict[str, Job]:
    """One job with an end at each daemon; all accept it before any starts."""
    for daemon in daemons.values():
        daemon.board.expect(JOB_ID, 0)
    names = list(daemons)
    return {name: attach_job(daemons[name].board, name, names, limits=limits) for name in names}


@dataclass
class Coordinator:
    """A relay in this process, and what it reported."""

    relay: Relay
    address: str
    events: list[tuple[str, str]]
    controls: list[tuple[str, bytes]]


@contextmanager
def running_relay(
    authority: Authority, address: str = "127.0.0.1:0", **options: object
) -> Iterator[Coordinator]:
    """A relay that admits everybody, and keeps what it is told, unless told otherwise."""
    events: list[tuple[str, str]] = []
    controls: list[tuple[str, bytes]] = []
    options.setdefault("allowed", lambda _party, _serial: True)
    options.setdefault("settings", QUICK)
    options.setdefault("on_control", lambda party, message: controls.append((party, message)))
    relay = Relay(
        address,
        authority.issue("coordinator"),
        on_connect=lambda party: events.append((party, "up")),
        on_disconnect=lambda party: events.append((party, "down")),
        **options,  # type: ignore[arg-type]
    )
    port = relay.start()
    try:
        yield Coordinator(relay, f"127.0.0.1:{port}", events, controls)
    finally:
        relay.stop()


@contextmanager
def running_room(
    authority: Authority, names: list[str], *, settings: LinkSettings = QUICK, **options: object
) -> Iterator[tuple[Coordinator, dict[str, Daemon]]]:
    """A relay and connected daemons."""
    with running_relay(authority, settings=settings, **options) as coordinator:
        daemons = {
            name: start_daemon(name, coordinator.address, authority.issue(name), settings=settings)
            for name in names
        }
        try:
            for daemon in daemons.values():
                daemon.wait_up()
            yield coordinator, daemons
        finally:
            for daemon in daemons.values():
                daemon.link.stop()


def write_tls(folder: Path, name: str, tls: TlsMaterial) -> None:
    """As `scripts/bench_link.py` reads it."""
    (folder / "ca.pem").write_bytes(tls.ca_pem)
    (folder / f"{name}.pem").write_bytes(tls.certificate_pem)
    (folder / f"{name}.key").write_bytes(tls.key_pem)


class RelayProcess:
    """A relay in a process of its own, to be killed and started again on the same port."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        write_tls(folder, "coordinator", authority.issue("coordinator"))
        self._folder = folder
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        script = str(ROOT / "scripts" / "bench_link.py")
        self._process = subprocess.Popen(
            [sys.executable, script, "relay", "--dir", str(self._folder), "--port", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """kill -9"""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()


class Proxy:
    """A TCP line that can be cut, or swallow everything and stay open."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self.is_swallowing = False
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._sockets.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self.connections += 1
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if not self.is_swallowing:
                    sink.sendall(data)
        for sock in (source, sink):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
