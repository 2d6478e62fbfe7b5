"""An evidence bundle read back: the verdict on each of its logs under the auditor's keys, and their entries.

The checks are those of `verify_bundle`, the one file that auditors run alone: there is no second way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from saferoom.audit.evidence import verify_bundle
from saferoom.audit.evidence.verdict import VerdictKind
from saferoom.audit.formats.note import ED25519, NoteVerifier
from saferoom.audit.log.sqlite import FORMAT_VERSION
from saferoom.audit.log.store import Identity
from saferoom.audit.witness.quorum import Quorum
from saferoom.errors import StorageError, UsageError, VerificationError

TrustFor = Callable[[str], tuple[Sequence[str], Quorum | None]]
"""From a log's origin to the verifier keys and the quorum that the auditor relies on for it."""

_STEP = "read an evidence bundle"
_ZIP = b"PK\x03\x04"


def is_bundle(path: Path) -> bool:
    """Whether a file begins as a ZIP does. Raises: StorageError if it may not be read."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP)) == _ZIP
    except OSError as exc:
        raise StorageError(f"the file cannot be read ({type(exc).__name__})", step=_STEP) from exc


def verify_logs_of(
    path: Path, trust: TrustFor, *, seen: Sequence[str] = (), max_age_s: float | None = None
) -> list[dict[str, Any]]:
    """The verdict on each log of a bundle, as the one-file verifier gives it.

    No key in the bundle counts. `seen` and `max_age_s` as in `verify_log`. Raises: UsageError if you trust no
    key, or one is malformed; VerificationError if it is no bundle, or its files are not its manifest's.
    """
    with closing(_opened(path)) as zipped, _translated():
        bundle = zipped.bundle
        return [_verdict(bundle, name, trust, seen, max_age_s) for name in bundle.logs()]


def exit_code(verdicts: Sequence[Mapping[str, Any]], *, require_witnesses: bool = False) -> int:
    """That of the worst verdict, as `Verdict.exit_code` gives it; 1 if there is none."""
    kinds = {VerdictKind[verdict["verdict"]] for verdict in verdicts} or {VerdictKind.INVALID}
    for kind in (VerdictKind.INVALID, VerdictKind.DIVERGED, VerdictKind.STALE):
        if kind in kinds:
            return int(kind.value)
    is_wanting = require_witnesses and VerdictKind.CONSISTENT in kinds
    return int(VerdictKind.CONSISTENT.value) if is_wanting else 0


def _verdict(
    bundle: verify_bundle.Bundle, name: str, trust: TrustFor, seen: Sequence[str], max_age_s: float | None
) -> dict[str, Any]:
    keys, quorum = trust(str(bundle.json(f"logs/{name}/log.json")["origin"]))
    if not keys:
        raise UsageError(
            "a bundle is checked with your own keys, never with its own",
            step="verify an evidence bundle",
            remedy="give the log owners' keys with --key, or the contract with --contract",
        )
    if quorum is not None and max_age_s is None:
        max_age_s = quorum.max_age_s
    return verify_bundle.verify(bundle, name, _own_keys(keys, quorum), list(seen), max_age_s)


def _own_keys(keys: Sequence[str], quorum: Quorum | None) -> verify_bundle.Keys:
    try:
        parsed = [NoteVerifier.parse(key) for key in keys]
    except VerificationError as exc:
        raise UsageError(f"a given verifier key cannot be used: {exc.message}") from exc
    # A key of a witness counts as one only if it is named among the witnesses.
    lines = [str(verifier) for verifier in parsed if verifier.kind == ED25519]
    if quorum is not None:
        lines += [*map(str, quorum.witnesses), f"quorum {quorum.needed}"]
    return verify_bundle.Keys("\n".join(lines))


class _Opened:
    """A bundle whose files are those of its manifest."""

    def __init__(self, path: Path) -> None:
        self.bundle = verify_bundle.Bundle(path)

    def close(self) -> None:
        self.bundle.zip.close()


def _opened(path: Path) -> _Opened:
    with _translated():
        return _Opened(path)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except verify_bundle.Refused as exc:
        raise VerificationError(str(exc), step=_STEP) from exc
    except verify_bundle.MALFORMED as exc:
        raise VerificationError(f"it is not in the format ({type(exc).__name__})", step=_STEP) from exc
    except OSError as exc:
        raise StorageError(f"the bundle cannot be read ({type(exc).__name__})", step=_STEP) from exc


class BundleReader:
    """One log of a bundle, as search and reconcile read it. Only digests are checked here."""

    def __init__(self, path: Path, name: str) -> None:
        """`name` of the log's folder. Raises: VerificationError, StorageError."""
        self._zipped, self._folder = _opened(path), f"logs/{name}"
        with _translated():
            about = self._zipped.bundle.json(f"{self._folder}/log.json")
            self._origin, self._size = str(about["origin"]), int(about["size"])
            self.is_complete = bool(about["complete"])

    def identity(self) -> Identity:
        """Without a key: a bundle's word on keys counts nothing."""
        return Identity(FORMAT_VERSION, self._origin, "")

    def size(self) -> int:
        """How many entries the last checkpoint covers; a selection holds fewer."""
        return self._size

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, exact bytes) of what is held of the entries start..end-1."""
        lines = self._zipped.bundle.lines(f"{self._folder}/entries.jsonl")
        with _translated():
            for index, data in zip(self._indices(), lines, strict=False):
                if start <= index < end:
                    yield index, data

    def _indices(self) -> Iterator[int]:
        if self.is_complete:
            yield from range(self._size)
            return
        for line in self._zipped.bundle.lines(f"{self._folder}/proofs.jsonl"):
            yield int(json.loads(line)["index"])

    def close(self) -> None:
        self._zipped.close()


def bundle_readers(path: Path) -> list[BundleReader]:
    """A reader for each log of a bundle. Raises: VerificationError, StorageError."""
    with closing(_opened(path)) as zipped:
        names = zipped.bundle.logs()
    return [BundleReader(path, name) for name in names]
