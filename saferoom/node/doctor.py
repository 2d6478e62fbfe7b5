"""What often goes wrong at a party: certificates, clock, network, proxy, disk, memory, checkpoints."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import psutil

from saferoom.errors import SafeRoomError
from saferoom.identity.certificates import days_left
from saferoom.jobs.home import Home
from saferoom.node.settings import load_settings
from saferoom.tasks.results.checkpoint import has_checkpoint

CONNECT_S = 5.0
LOW_DISK_BYTES = 2 << 30
LOW_MEMORY_BYTES = 2 << 30
LOW_DAYS = 30
MAX_DAYS = 366


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, and what to do if not."""

    what: str
    ok: bool
    text: str

    def to_plain(self) -> dict[str, object]:
        return asdict(self)


def examine(home: Home) -> list[Finding]:
    """All checks; a check that cannot be made is a failed one."""
    home.check()
    checks: tuple[tuple[str, Callable[[Home], Iterator[Finding]]], ...] = (
        ("settings", _settings),
        ("keys", _keys),
        ("certificate", _certificate),
        ("coordinator", _coordinator),
        ("proxy", _proxy),
        ("disk", _disk),
        ("memory", _memory),
        ("checkpoints", _checkpoints),
    )
    found: list[Finding] = []
    for name, check in checks:
        try:
            found.extend(check(home))
        except (SafeRoomError, OSError, ValueError, KeyError) as error:
            text = str(error) if isinstance(error, SafeRoomError) else type(error).__name__
            found.append(Finding(name, False, text))
    return found


def _settings(home: Home) -> Iterator[Finding]:
    settings = load_settings(home.settings)
    yield Finding("settings", True, f"party {settings.node_id}, {settings.organisation}")


def _keys(home: Home) -> Iterator[Finding]:
    open_files = [path.name for path in sorted(home.keys.iterdir()) if path.stat().st_mode & 0o077]
    text = f"readable by others: {', '.join(open_files)}; run `chmod 600` on them" if open_files else "0600"
    yield Finding("keys", not open_files, text)


def _certificate(home: Home) -> Iterator[Finding]:
    if not home.welcome.exists():
        yield Finding("certificate", False, "the node has not joined; run `saferoom party join`")
        return
    left = days_left(_welcome_field(home, "certificate"), datetime.now(UTC))
    remedy = "" if left > LOW_DAYS else "; run `saferoom party renew`"
    yield Finding("certificate", left > 0, f"{left:.0f} days left{remedy}")
    yield Finding(
        "clock", left < MAX_DAYS, "within the certificate's dates" if left < MAX_DAYS else "far behind"
    )


def _coordinator(home: Home) -> Iterator[Finding]:
    if not home.welcome.exists():
        yield Finding("coordinator", False, "its address comes with the welcome; run `saferoom party join`")
        return
    host, port = _welcome_field(home, "address").rsplit(":", 1)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S):
            yield Finding("coordinator", True, f"{host}:{port} takes connections")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        yield Finding(
            "coordinator", False, f"{host}:{port}: {reason}; ask the firewall's keeper to let it out"
        )


def _proxy(_home: Home) -> Iterator[Finding]:
    proxy = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")
    if proxy:
        yield Finding(
            "proxy", True, "https_proxy is set: its idle time-out must be above 30 s, and it must pass TLS"
        )
    else:
        yield Finding("proxy", True, "none")


def _disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free
    yield Finding(
        "disk", free > LOW_DISK_BYTES, f"{free / 1e9:.1f} GB free; without room for the log nothing runs"
    )


def _memory(_home: Home) -> Iterator[Finding]:
    free = psutil.virtual_memory().available
    yield Finding("memory", free > LOW_MEMORY_BYTES, f"{free / 1e9:.1f} GB available")


def _checkpoints(home: Home) -> Iterator[Finding]:
    """Jobs that have ended without a model and can be resumed; one that runs is counted too."""
    root = home.checkpoint(".")
    folders = [folder for folder in root.iterdir() if has_checkpoint(folder)] if root.is_dir() else []
    size = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    yield Finding("checkpoints", True, f"{len(folders)} jobs can be resumed, {size / 1e6:.1f} MB")


def _welcome_field(home: Home, name: str) -> str:
    return str(json.loads(home.welcome.read_text(encoding="utf-8"))["body"][name])
