"""A stand-alone witness, such as an auditor runs: its home, and serving it until a signal comes.

witness.pem      its private key, 0600, encrypted if a passphrase was given
witness.name     the name under which it cosigns
logs.txt         the verifier keys of the logs it witnesses, one a line; read anew for every request
witness.db       what it cosigned, and alarms
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit.formats.note import COSIGNATURE_V1, ED25519, NoteSigner, NoteVerifier, check_key_name
from saferoom.audit.witness.http import witness_server
from saferoom.audit.witness.memory import Alarm, WitnessStore
from saferoom.audit.witness.witness import Witness, trust
from saferoom.errors import ConfigError, UsageError, VerificationError
from saferoom.files.private import make_private_folder, read_private, write_private
from saferoom.identity.keys import load_ed25519_key, store_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WitnessHome:
    """The folder of a stand-alone witness."""

    root: Path

    @classmethod
    def create(cls, root: Path, name: str, passphrase: str | None) -> WitnessHome:
        """Make the folder and a key. Raises ConfigError if a witness lives there already, UsageError."""
        check_key_name(name)
        home = cls(root)
        if home.is_there():
            raise ConfigError(f"{root} already holds a witness", remedy="name another folder with --home")
        if not root.exists():
            make_private_folder(root)
        write_private(home._name, f"{name}\n".encode())
        write_private(home._logs, b"")
        store_key(home._key, Ed25519PrivateKey.generate(), passphrase)
        return home

    def signer(self, passphrase: str | None) -> NoteSigner:
        """Its key. Raises ConfigError."""
        if not self.is_there():
            raise ConfigError(f"{self.root} holds no witness", remedy="run `saferoom audit witness init`")
        name = read_private(self._name).decode("utf-8", errors="replace").strip()
        return NoteSigner(name, load_ed25519_key(self._key, passphrase), COSIGNATURE_V1)

    def logs(self) -> list[NoteVerifier]:
        """The logs it witnesses. Raises ConfigError."""
        try:
            lines = read_private(self._logs).decode("utf-8").split()
            return [NoteVerifier.parse(line) for line in lines]
        except (ValueError, VerificationError) as error:
            raise ConfigError(
                f"{self._logs} holds a line that is no verifier key", remedy="mend it"
            ) from error

    def add_log(self, verifier_key: str) -> NoteVerifier:
        """Witness one log more. Raises UsageError if that is no log's verifier key."""
        try:
            verifier = NoteVerifier.parse(verifier_key.strip())
        except VerificationError as error:
            raise UsageError(f"that log cannot be witnessed: {error.message}") from error
        if verifier.kind != ED25519:
            raise UsageError(
                "a log's key is of type 01; this is a witness's", remedy="see the node's log.key"
            )
        known = self.logs()
        if verifier not in known:
            text = "".join(f"{key}\n" for key in [*known, verifier])
            write_private(self._logs, text.encode(), replace=True)
        return verifier

    def store(self) -> WitnessStore:
        """Its memory. Raises StorageError."""
        return WitnessStore(self.root / "witness.db")

    def status(self) -> dict[str, Any]:
        """Logs with the sizes it cosigned, and alarms with both signed heads."""
        store = self.store()
        try:
            held = {head.checkpoint.origin: head.checkpoint for head in store.heads()}
            logs = [
                {
                    "origin": key.name,
                    "key": str(key),
                    "size": held[key.name].size if key.name in held else None,
                }
                for key in self.logs()
            ]
            return {"logs": logs, "alarms": [alarm_plain(alarm) for alarm in store.alarms()]}
        finally:
            store.close()

    def is_there(self) -> bool:
        """Whether a witness lives here."""
        return self._key.exists()

    @property
    def _key(self) -> Path:
        return self.root / "witness.pem"

    @property
    def _name(self) -> Path:
        return self.root / "witness.name"

    @property
    def _logs(self) -> Path:
        return self.root / "logs.txt"


def alarm_plain(alarm: Alarm) -> dict[str, Any]:
    """JSON values."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(alarm.time))
    return {
        "time": when,
        "origin": alarm.origin,
        "what": alarm.what,
        "held": alarm.held,
        "offered": alarm.offered,
    }


def serve_witness(home: WitnessHome, passphrase: str | None, host: str, port: int) -> None:
    """`saferoom audit witness up`: answer until SIGTERM or SIGINT."""
    store = home.store()

    def logs_now(origin: str) -> Sequence[NoteVerifier]:
        return trust(home.logs())(origin)

    witness = Witness(
        store,
        home.signer(passphrase),
        logs_now,
        on_alarm=lambda alarm: logger.error("ALARM: %s: %s", alarm.origin, alarm.what),
    )
    server = witness_server(witness, host, port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    thread = threading.Thread(target=server.serve_forever, name="witness", daemon=True)
    thread.start()
    logger.info("the witness %s listens on %s:%d", witness.verifier.name, *server.server_address[:2])
    try:
        stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        store.close()
