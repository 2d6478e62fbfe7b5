"""How fast the link is: real processes, real TLS, sealed flows, on this machine's loopback.

    job a ── pipe ── daemon a ══ mTLS ══ relay ══ mTLS ══ daemon b ── pipe ── job b

`measure()` returns medians of several runs; run as a script it prints them as JSON. Writes nothing but
certificates in a temporary folder, which goes away.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from saferoom.link.job.allocator import keep_freed_memory
from saferoom.link.transport.polling import poll_in_waiting_threads

JOB_ID = bytes(range(16))
PARTIES = ("a", "b")
MIB = 1 << 20
RESULT_KIND = 16


# -- processes -----------------------------------------------------------------------------------


def run_relay(folder: Path, port: int, latency_ms: float, mbit_per_s: float) -> None:
    """A relay that admits everybody with a certificate; prints its port; ends with its standard input."""
    from saferoom.link.relay.relay import Relay
    from saferoom.link.settings import NetworkEmulation

    is_emulated = latency_ms or mbit_per_s
    relay = Relay(
        f"127.0.0.1:{port}",
        read_tls(folder, "coordinator"),
        on_control=lambda _party, _message: None,
        on_connect=lambda _party: None,
        on_disconnect=lambda _party: None,
        allowed=lambda _party, _serial: True,
        emulation=NetworkEmulation(latency_ms, mbit_per_s) if is_emulated else None,
    )
    print(relay.start(), flush=True)
    sys.stdin.read()
    relay.stop()


def run_daemon(folder: Path, me: str, port: int, megabytes: int) -> None:
    """A party's daemon with one job process; prints what the job reports."""
    from saferoom.link.pipe import Pipe
    from saferoom.link.switchboard import Switchboard
    from saferoom.link.transport.partylink import LinkState, PartyLink

    def on_state(state: LinkState) -> None:
        board.link_up() if state.is_up else board.link_down(state.reason)

    ended = threading.Event()
    link = PartyLink(
        f"127.0.0.1:{port}",
        me,
        read_tls(folder, me),
        on_control=lambda _message: None,
        on_frame=lambda frame: board.deliver(frame),  # noqa: PLW0108 - the board needs the link first
        on_state=on_state,
    )
    board = Switchboard(me, link.send_frame)
    board.expect(JOB_ID, 0)
    link.start()
    ours, theirs = Pipe.pair()
    command = [
        sys.executable,
        __file__,
        "job",
        "--me",
        me,
        "--fd",
        str(theirs.fileno()),
        "--mb",
        str(megabytes),
    ]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as job:
        theirs.close_fd()
        board.attach(
            JOB_ID,
            0,
            ours,
            on_service=lambda _kind, payload: print(payload.decode(), flush=True),
            on_ended=lambda _well: ended.set(),
        )
        ended.wait()
        job.wait()
    sys.stdin.read()
    link.stop()


def run_job(me: str, number: int, megabytes: int) -> None:
    """`a` measures, `b` answers. The two keys are fixed: this is nobody's data."""
    from saferoom.link.cipher import FlowKeys
    from saferoom.link.job.joblink import JobLink
    from saferoom.link.pipe import Pipe

    peer = "b" if me == "a" else "a"
    first, second = bytes([1]) * 32, bytes([2]) * 32
    keys = FlowKeys(first, second) if me == "a" else FlowKeys(second, first)
    link = JobLink(Pipe.from_fileno(number), me, JOB_ID, 0, {peer: keys})
    if me == "a":
        link.send_service(RESULT_KIND, json.dumps(measure_from(link, megabytes)).encode())
    else:
        answer(link)
    link.close()


def measure_from(link: object, megabytes: int) -> dict[str, float]:
    """Round trips of 100 bytes, and one-way sends of `megabytes`, each acknowledged by one byte."""
    from saferoom.link.job.joblink import JobLink

    if not isinstance(link, JobLink):
        raise TypeError("expected a JobLink")

    def exchange(message: bytes) -> float:
        begin = time.perf_counter()
        link.send("b", [message])
        link.receive("b", 60.0)
        return time.perf_counter() - begin

    small, large = b"." * 100, b"." * (megabytes * MIB)
    for _ in range(200):
        exchange(small)
    trips = sorted(exchange(small) for _ in range(2000))
    exchange(large)
    rates = [megabytes * MIB / 1e6 / exchange(large) for _ in range(5)]
    link.send("b", [b""])
    return {
        "round_trip_ms": 1e3 * statistics.median(trips),
        "round_trip_p99_ms": 1e3 * trips[int(0.99 * len(trips))],
        "one_way_mb_per_s": statistics.median(rates),
    }


def answer(link: object) -> None:
    """Send small messages back as they are, large ones as one byte, until an empty one comes."""
    from saferoom.link.job.joblink import JobLink

    if not isinstance(link, JobLink):
        raise TypeError("expected a JobLink")
    while message := link.receive("a", 60.0):
        link.send("a", [message if len(message) < MIB else b"."])


# -- certificates --------------------------------------------------------------------------------


def write_certificates(folder: Path, names: tuple[str, ...]) -> None:
    """A throw-away authority and one certificate a name, valid for a day."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)

    def issue(
        name: str,
        issuer: x509.Name,
        signer: ec.EllipticCurvePrivateKey,
        key: ec.EllipticCurvePrivateKey,
        is_ca: bool,
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    (folder / "ca.pem").write_bytes(issue("authority", issuer, authority, authority, is_ca=True))
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / f"{name}.pem").write_bytes(issue(name, issuer, authority, key, is_ca=False))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def read_tls(folder: Path, name: str):  # type: ignore[no-untyped-def]
    """The TLS material of `name`."""
    from saferoom.link.transport.tls import TlsMaterial

    read = [(folder / file).read_bytes() for file in ("ca.pem", f"{name}.pem", f"{name}.key")]
    return TlsMaterial(*read)


# -- the measurement -----------------------------------------------------------------------------


def measure(
    runs: int = 3, megabytes: int = 64, latency_ms: float = 0.0, mbit_per_s: float = 0.0
) -> dict[str, float]:
    """Medians over `runs` fresh sets of processes: round trip and its 99th percentile in ms, MB/s one way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_certificates(folder, ("coordinator", *PARTIES))
        results = [_measure_once(folder, megabytes, latency_ms, mbit_per_s) for _ in range(runs)]
    return {key: round(statistics.median(r[key] for r in results), 3) for key in results[0]}


def _measure_once(folder: Path, megabytes: int, latency_ms: float, mbit_per_s: float) -> dict[str, float]:
    processes = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, __file__, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    try:
        relay = start("relay", "--dir", folder, "--latency-ms", latency_ms, "--mbit", mbit_per_s)
        port = int(relay.stdout.readline()) if relay.stdout else 0
        daemons = [
            start("daemon", "--dir", folder, "--me", me, "--port", port, "--mb", megabytes) for me in PARTIES
        ]
        line = daemons[0].stdout.readline() if daemons[0].stdout else ""
        return dict(json.loads(line))
    finally:
        # The relay last: the jobs' goodbyes go through it.
        for process in reversed(processes):
            if process.stdin:
                process.stdin.close()
            process.wait(timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("role", nargs="?", choices=["relay", "daemon", "job"], help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mb", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--mbit", type=float, default=0.0)
    for hidden, kind in (("--dir", Path), ("--me", str), ("--port", int), ("--fd", int)):
        parser.add_argument(hidden, type=kind, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    keep_freed_memory()
    poll_in_waiting_threads()
    if given.role == "relay":
        run_relay(given.dir, given.port, given.latency_ms, given.mbit)
    elif given.role == "daemon":
        run_daemon(given.dir, given.me, given.port, given.mb)
    elif given.role == "job":
        run_job(given.me, given.fd, given.mb)
    else:
        print(json.dumps(measure(given.runs, given.mb, given.latency_ms, given.mbit), indent=2))


if __name__ == "__main__":
    main()
