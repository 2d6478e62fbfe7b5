"""A signer, a log, and events to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import AuditLog, NoteSigner, Recorder

NOW = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)


@pytest.fixture
def signer() -> NoteSigner:
    return NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite"


@pytest.fixture
def log(path: Path, signer: NoteSigner) -> Iterator[AuditLog]:
    with AuditLog.open(path, origin=signer.name, signer=signer, clock=lambda: NOW) as log:
        yield log


@pytest.fixture
def recorder(log: AuditLog) -> Recorder:
    return Recorder(log, node="bank", software="saferoom 0.1.0")
