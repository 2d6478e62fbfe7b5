"""The four private keys of a node, made and kept at the node.

    signing.pem   Ed25519   contracts and enrolment papers
    sealing.pem   X25519    opens what other parties seal to this node (HPKE)
    log.pem       Ed25519   signs the audit log's checkpoints
    tls.pem       EC P-256  mutual TLS with the coordinator
    node.json               the node id; not secret

Each is PKCS #8 (RFC 5958), mode 0600 in a folder of mode 0700. With a passphrase they are encrypted by
PBES2 with scrypt (N = 2**15, r = 8, p = 3: 32 MB and about 0.2 s a key) and AES-256-CBC, which OpenSSL reads.
"""

from __future__ import annotations

import json
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Crypto.PublicKey import ECC
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from saferoom.errors import ConfigError, StorageError
from saferoom.files.private import make_private_folder, read_private, sync_folder, write_private
from saferoom.identity.public import PublicKeys
from saferoom.ids import check_party_id

_SCRYPT: Any = {"iteration_count": 2**15, "block_size": 8, "parallelization": 3}
_UNLOCK_REMEDY = "give the passphrase that was set when the keys were made; nobody else can recover it"
_NODE_FILE = "node.json"

PrivateKey = Ed25519PrivateKey | X25519PrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class NodeKeys:
    """A node's private keys. `repr` shows the node id alone."""

    node_id: str
    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey
    log: Ed25519PrivateKey
    tls: EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"NodeKeys({self.node_id!r})"

    @classmethod
    def generate(cls, node_id: str) -> NodeKeys:
        """Fresh keys from the operating system's generator, in memory only."""
        return cls(
            node_id=check_party_id(node_id),
            signing=Ed25519PrivateKey.generate(),
            sealing=X25519PrivateKey.generate(),
            log=Ed25519PrivateKey.generate(),
            tls=generate_private_key(SECP256R1()),
        )

    @classmethod
    def create(cls, folder: Path, node_id: str, passphrase: str | None = None) -> NodeKeys:
        """Make keys and store them in the new `folder`: all of them or, after a crash, none.

        Raises ConfigError if the folder holds anything already, StorageError if it cannot be written.
        """
        keys = cls.generate(node_id)
        files = {f"{name}.pem": _to_pem(key, passphrase) for name, key in keys._named().items()}
        files[_NODE_FILE] = json.dumps({"node_id": node_id}).encode()
        building = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
        make_private_folder(building)
        for name, content in files.items():
            write_private(building / name, content)
        _move_into_place(building, folder)
        return keys

    @classmethod
    def load(cls, folder: Path, passphrase: str | None = None) -> NodeKeys:
        """Read the keys back. Raises ConfigError: missing, open to others, damaged, wrong passphrase."""
        return cls(
            node_id=_read_node_id(folder),
            signing=_load(folder / "signing.pem", Ed25519PrivateKey, passphrase),
            sealing=_load(folder / "sealing.pem", X25519PrivateKey, passphrase),
            log=_load(folder / "log.pem", Ed25519PrivateKey, passphrase),
            tls=_load(folder / "tls.pem", EllipticCurvePrivateKey, passphrase),
        )

    def public(self) -> PublicKeys:
        return PublicKeys(
            node_id=self.node_id,
            signing=self.signing.public_key().public_bytes_raw(),
            sealing=self.sealing.public_key().public_bytes_raw(),
            log=self.log.public_key().public_bytes_raw(),
        )

    def sealing_private_bytes(self) -> bytes:
        """The raw X25519 private key, 32 bytes, as HPKE wants it. Keep it in memory."""
        return self.sealing.private_bytes_raw()

    def tls_private_pem(self) -> bytes:
        """The unencrypted TLS key, as gRPC wants it. Keep it in memory."""
        return _to_pem(self.tls, None)

    def _named(self) -> dict[str, PrivateKey]:
        return {"signing": self.signing, "sealing": self.sealing, "log": self.log, "tls": self.tls}


def store_key(path: Path, key: PrivateKey, passphrase: str | None) -> None:
    """Write one private key to a new file, as `NodeKeys.create` does."""
    write_private(path, _to_pem(key, passphrase))


def load_ec_key(path: Path, passphrase: str | None) -> EllipticCurvePrivateKey:
    """Read one EC P-256 key, as `NodeKeys.load` does."""
    key: EllipticCurvePrivateKey = _load(path, EllipticCurvePrivateKey, passphrase)
    return key


def load_ed25519_key(path: Path, passphrase: str | None) -> Ed25519PrivateKey:
    """Read one Ed25519 key, as `NodeKeys.load` does."""
    key: Ed25519PrivateKey = _load(path, Ed25519PrivateKey, passphrase)
    return key


def _to_pem(key: PrivateKey, passphrase: str | None) -> bytes:
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    # `cryptography` encrypts PKCS #8 with a few thousand rounds of PBKDF2 and cannot be told otherwise
    pem = ECC.import_key(der).export_key(
        format="PEM",
        passphrase=_passphrase_bytes(passphrase),
        use_pkcs8=True,
        protection="scryptAndAES256-CBC",
        prot_params=_SCRYPT,
    )
    return pem.encode("ascii") + b"\n"


def _passphrase_bytes(passphrase: str) -> bytes:
    if not passphrase:
        raise ConfigError(
            "the passphrase is empty", remedy="give one, or leave it out to store keys unencrypted"
        )
    return unicodedata.normalize("NFC", passphrase).encode("utf-8")


def _load(path: Path, kind: type[Any], passphrase: str | None) -> Any:
    pem = read_private(path)
    encrypted = b"ENCRYPTED" in pem.split(b"\n", 1)[0]
    if encrypted and passphrase is None:
        raise ConfigError(f"{path} is encrypted and no passphrase was given", remedy=_UNLOCK_REMEDY)
    try:
        key = load_pem_private_key(pem, _passphrase_bytes(passphrase) if encrypted and passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        if encrypted:
            raise ConfigError(
                f"{path} does not open: wrong passphrase, or a damaged file", remedy=_UNLOCK_REMEDY
            ) from exc
        raise ConfigError(f"{path} is not a private key", remedy="restore it from a backup") from exc
    if not isinstance(key, kind):
        raise ConfigError(f"{path} holds another kind of key than {kind.__name__}")
    return key


def _read_node_id(folder: Path) -> str:
    path = folder / _NODE_FILE
    try:
        node_id = json.loads(read_private(path))["node_id"]
    except (ValueError, KeyError, TypeError) as exc:
        raise ConfigError(f"{path} does not name the node") from exc
    return check_party_id(str(node_id))


def _move_into_place(building: Path, folder: Path) -> None:
    try:
        building.rename(folder)  # replaces an empty folder, fails on any other
        sync_folder(folder.parent)
    except OSError as exc:
        _discard(building)
        if folder.exists():
            raise ConfigError(
                f"{folder} is there already; keys are never overwritten",
                remedy="name another folder, or move this one away after a backup",
            ) from exc
        raise StorageError(f"{folder} cannot be made: {exc.strerror}") from exc


def _discard(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
