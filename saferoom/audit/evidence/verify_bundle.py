#!/usr/bin/env python3
"""Check an evidence bundle, on any machine: this one file, Python 3.11, and the package `cryptography`.

    python verify_bundle.py bundle.zip --keys keys.txt [--seen checkpoint …] [--max-age-s N]

`keys.txt` is yours: one verifier key a line, as each log's owner read it out (`saferoom/bank+5f3a…+AZ…`),
witnesses' keys the same way, `quorum N` for how many of them you ask for, `#` for remarks. No key in the
bundle is believed. Get this file from where you trust it, never out of a bundle.

For each log, in this order, everything from stored bytes:

    1  every file is the one that the manifest names, by SHA-256, and there is no other
    2  first and last checkpoint are signed by your key of that log          c2sp.org/signed-note
    3  the last tree begins with the first                                   RFC 9162 §2.1.4.2
    4  whole log: the entries hash to the last root; session chains unbroken     RFC 6962 §2.1
       selection: each entry is in the last tree                             RFC 9162 §2.1.3.2
    5  witnesses: your quorum of them cosigned the last checkpoint           c2sp.org/tlog-cosignature
    6  checkpoints that you kept (`--seen`) fit the whole log

Exit codes: 0 WITNESSED, or CONSISTENT and you asked for no quorum; 10 CONSISTENT, but not witnessed;
11 STALE; 12 DIVERGED; 1 INVALID; 2 wrong use.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "saferoom-bundle/1"
EXIT = {"WITNESSED": 0, "CONSISTENT": 0, "STALE": 11, "DIVERGED": 12, "INVALID": 1}
NOT_WITNESSED = 10
LOG_FILES = {"log.json", "checkpoint-first", "checkpoint-last", "consistency.json", "entries.jsonl"}
MAX_FILE_BYTES = 8 << 30
MAX_ENTRY_BYTES = 65_535
CLOCK_SKEW_S = 300
NOT_PROVED = {
    "WITNESSED": "Not proved: that everything that was done was logged; compare both ends of conversations.",
    "CONSISTENT": "Not proved: that this is the only version of the log, or that everything done was logged.",
    "STALE": "Not proved: that nothing was done since; newer entries may be withheld.",
    "DIVERGED": "Not proved: which version is the true one; keep both signed checkpoints as evidence.",
    "INVALID": "Nothing is proved: do not rely on any entry of this log.",
}
SELECTION = " It is a selection: nothing is proved about entries that it leaves out."


SMALL_ORDER = {
    *("00" * 32, "01" + "00" * 31, *(f"{low}{'ff' * 30}7f" for low in ("ec", "ed", "ee"))),
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
}
"""Ed25519 keys of order 1, 2, 4 and 8, without the bit of the sign: each fits signatures that nobody made."""


class Refused(Exception):  # noqa: N818 - the word of what it says
    """A check failed; the text says which."""


MALFORMED = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError, EOFError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What reading a file raises that is not in the format."""


# --- keys and signed notes ------------------------------------------------------------


class Keys:
    """The auditor's own keys: logs (type 01), witnesses (type 04), by name and id; the quorum asked for."""

    def __init__(self, text: str) -> None:
        self.quorum = 0
        self.known: dict[tuple[str, bytes], tuple[int, bytes]] = {}
        for line in (row.partition("#")[0].strip() for row in text.splitlines()):
            if line.startswith("quorum "):
                self.quorum = int(line.split()[1])
            elif line:
                self._add(line)

    def _add(self, line: str) -> None:
        try:
            name, digits, blob = line.split("+", 2)
            key = base64.b64decode(blob, validate=True)
        except ValueError:
            raise SystemExit(f"a key reads name+8 hex digits+base64, not {line!r}") from None
        key_id = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
        if len(key) != 33 or key[0] not in (1, 4) or key_id.hex() != digits:
            raise SystemExit(f"the key of {name} is mistyped, or not Ed25519 of type 01 or 04")
        if (key[1:32] + bytes([key[32] & 0x7F])).hex() in SMALL_ORDER:
            raise SystemExit(f"the key of {name} accepts any text: it is a point of small order")
        self.known[name, key_id] = key[0], key[1:]


def open_note(note: str, keys: Keys) -> tuple[str, dict[str, int]]:
    """The text of a signed note, and who signed it: 0 for a log, the time for a witness."""
    body, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise Refused("it is not a signed note")
    text, signed = body + "\n", {}
    if any(c < " " and c != "\n" for c in note):
        raise Refused("a signed note holds no control characters")
    for line in tail[:-1].split("\n"):
        dash, name, blob = [*line.split(" "), "", ""][:3]
        try:
            raw = base64.b64decode(blob, validate=True)
        except ValueError:
            raise Refused("a signature line is not base64") from None
        if dash != "—" or len(raw) < 5:
            raise Refused("a signature line reads '— name base64'")
        if (name, raw[:4]) in keys.known:
            signed[name] = _check(text, name, raw[4:], *keys.known[name, raw[:4]])
    return text, signed


def _check(text: str, name: str, signature: bytes, kind: int, key: bytes) -> int:
    moment = int.from_bytes(signature[:8], "big") if kind == 4 else 0
    message = f"cosignature/v1\ntime {moment}\n{text}" if kind == 4 else text
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature[8 * (kind == 4) :], message.encode())
    except (InvalidSignature, ValueError):
        raise Refused(f"the signature of {name} is wrong") from None
    return moment


def open_checkpoint(note: str, origin: str, keys: Keys) -> tuple[int, bytes, dict[str, int]]:
    """Size, root, and the witnesses' times, of a checkpoint that the log's own key signed."""
    text, signed = open_note(note, keys)
    lines = text.split("\n")
    if len(lines) != 4 or lines[0] != origin or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
        raise Refused("a checkpoint is origin, size, root, of this log")
    if origin not in signed:
        raise Refused(f"it is not signed by a key of {origin} that you gave")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32:
        raise Refused("a root has 32 bytes")
    latest = time.time() + CLOCK_SKEW_S
    if lines[1] == "0" and root != Tree().root():
        raise Refused("a checkpoint of no entries bears the root of some")
    owner = (origin, f"{origin}/witness")
    return int(lines[1]), root, {k: at for k, at in signed.items() if 0 < at <= latest and k not in owner}


# --- the tree: RFC 6962, RFC 9162 ------------------------------------------------------------


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree's complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def append(self, value: bytes) -> None:
        size = self.size
        while size & 1:
            value = node(self.peaks.pop(), value)
            size >>= 1
        self.peaks.append(value)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def check_inclusion(index: int, size: int, value: bytes, proof: list[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2, with its names."""
    if not 0 <= index < size:
        raise Refused(f"entry {index} is not in a tree of {size}")
    fn, sn, r = index, size - 1, value
    for p in proof:
        if sn == 0:
            raise Refused(f"the proof of entry {index} is too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or r != root:
        raise Refused(f"entry {index} is not in the signed tree")


def check_consistency(old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> None:
    """RFC 9162 §2.1.4.2, with its names."""
    if old == new:
        if proof or old_root != new_root:
            raise Refused("two checkpoints of one size have two roots")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not 0 < old < new or not proof:
        raise Refused("the consistency proof is for other sizes")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Refused("the consistency proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or fr != old_root or sr != new_root:
        raise Refused("the last tree does not begin with the first: history was changed")


def hashes(texts: list[str]) -> list[bytes]:
    values = [base64.b64decode(text, validate=True) for text in texts]
    if any(len(value) != 32 for value in values):
        raise Refused("every hash of a proof has 32 bytes")
    return values


# --- the bundle ------------------------------------------------------------


class Bundle:
    """The files of a bundle, each checked against the manifest when it is opened."""

    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path)
        names = [info.filename for info in self.zip.infolist()]
        manifest = json.loads(self.zip.read("manifest.json"))
        self.digests: dict[str, str] = dict(manifest["files"])
        if manifest.get("format") != FORMAT:
            raise Refused(f"the bundle is not of the format {FORMAT}")
        if sorted(names) != sorted([*self.digests, "manifest.json"]):
            raise Refused("the bundle holds other files than its manifest names, or one twice")
        for name in self.digests:
            self._check(name)

    def _check(self, name: str) -> None:
        if self.zip.getinfo(name).file_size > MAX_FILE_BYTES:
            raise Refused(f"{name} is too large")
        with self.zip.open(name) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.digests[name]:  # type: ignore[arg-type]
                raise Refused(f"{name} is not the file that the manifest names")

    def logs(self) -> list[str]:
        return sorted({name.split("/")[1] for name in self.digests if name.startswith("logs/")})

    def text(self, name: str) -> str:
        return self.zip.read(name).decode()

    def json(self, name: str) -> Any:
        return json.loads(self.zip.read(name))

    def lines(self, name: str) -> Iterator[bytes]:
        with self.zip.open(name) as file:
            while line := file.readline(1 << 20):
                if not line.endswith(b"\n"):
                    raise Refused(f"{name} holds a line that is cut off or too long")
                yield line[:-1]


class LogCheck:
    """One log of a bundle. `verdict` runs the checks of this file's head."""

    def __init__(self, bundle: Bundle, name: str, keys: Keys) -> None:
        self.bundle, self.folder, self.keys = bundle, f"logs/{name}", keys
        self.about = bundle.json(f"{self.folder}/log.json")
        self.origin = str(self.about["origin"])
        self.complete = bool(self.about["complete"])
        self.entries, self.newest = 0, 0.0
        self.cosigned: dict[str, int] = {}
        self.roots: dict[int, bytes] = {}
        self.size = 0

    def run(self, seen: list[str]) -> str:
        """Gives the verdict's word. Raises Refused: INVALID."""
        first = self.bundle.text(f"{self.folder}/checkpoint-first")
        last = self.bundle.text(f"{self.folder}/checkpoint-last")
        old, old_root, _ = open_checkpoint(first, self.origin, self.keys)
        self.size, root, self.cosigned = open_checkpoint(last, self.origin, self.keys)
        proof = self.bundle.json(f"{self.folder}/consistency.json")
        check_consistency(old, self.size, hashes(proof["proof"]), old_root, root) if self.size else None
        kept = [
            open_checkpoint(note, self.origin, self.keys)[:2]
            for note in seen
            if note.split("\n")[0] == self.origin
        ]
        if self.complete:
            self.check_whole(root, {at for at, _ in kept})
        else:
            self.check_selection(root)
        return self.compare_seen(kept) or self.witnessed()

    def check_whole(self, root: bytes, stops: set[int]) -> None:
        tree = Tree()
        sessions: dict[str, tuple[int, bytes]] = {}
        self.roots[0] = tree.root()
        for data in self.bundle.lines(f"{self.folder}/entries.jsonl"):
            event, value = self.read(data), leaf(data)
            if "session" in event:
                link = event["session"]
                seq, before = sessions.get(link["id"], (-1, bytes(32)))
                if (link["seq"], link["prev_hash"]) != (seq + 1, before.hex()):
                    raise Refused(f"entry {tree.size}: its session's chain is broken before it")
                sessions[link["id"]] = (seq + 1, value)
            tree.append(value)
            if tree.size in stops:
                self.roots[tree.size] = tree.root()
        if tree.size != self.size or tree.root() != root:
            raise Refused("the entries are not those that the last checkpoint signs")

    def check_selection(self, root: bytes) -> None:
        before = -1
        proofs = self.bundle.lines(f"{self.folder}/proofs.jsonl")
        for data, line in zip(self.bundle.lines(f"{self.folder}/entries.jsonl"), proofs, strict=True):
            proof = json.loads(line)
            if proof["index"] <= before:
                raise Refused("entries stand twice, or out of order")
            before = proof["index"]
            self.read(data)
            check_inclusion(before, self.size, leaf(data), hashes(proof["proof"]), root)

    def read(self, data: bytes) -> dict[str, Any]:
        event = json.loads(data)
        if not isinstance(event, dict) or len(data) > MAX_ENTRY_BYTES:
            raise Refused("an entry is not a JSON object of at most 65,535 bytes")
        self.entries += 1
        self.newest = max(self.newest, datetime.fromisoformat(event["time"]).timestamp())
        return event

    def compare_seen(self, kept: list[tuple[int, bytes]]) -> str:
        """DIVERGED if a kept checkpoint has another root, or is of more entries than there are."""
        if kept and not self.complete:
            raise Refused("a checkpoint that you kept can be compared with a whole log only")
        return "DIVERGED" if any(self.roots.get(size) != root for size, root in kept) else ""

    def witnessed(self) -> str:
        enough = self.keys.quorum > 0 and len(self.cosigned) >= self.keys.quorum
        return "WITNESSED" if enough else "CONSISTENT"


def verify(bundle: Bundle, name: str, keys: Keys, seen: list[str], max_age_s: float | None) -> dict[str, Any]:
    """The verdict on one log of a bundle."""
    fault, check = "", None
    try:
        check = LogCheck(bundle, name, keys)
        word = check.run(seen)
        newest = sorted(check.cosigned.values())[-keys.quorum] if word == "WITNESSED" else check.newest
        if max_age_s is not None and word != "DIVERGED" and time.time() - newest > max_age_s:
            word = "STALE"
    except (Refused, *MALFORMED) as error:
        word, fault = (
            "INVALID",
            str(error) if isinstance(error, Refused) else f"a file is not in the format ({error})",
        )
    complete = check is not None and check.complete
    return {
        "verdict": word,
        "origin": check.origin if check else name,
        "size": check.size if check else 0,
        "entries": check.entries if check else 0,
        "complete": complete,
        "witnesses": sorted(check.cosigned) if check else [],
        "fault": fault,
        "not_proved": NOT_PROVED[word] + ("" if complete or word == "INVALID" else SELECTION),
    }


def exit_code(verdicts: list[dict[str, Any]], keys: Keys) -> int:
    """That of the worst: INVALID, DIVERGED, STALE, not witnessed, good."""
    words = {verdict["verdict"] for verdict in verdicts}
    for word in ("INVALID", "DIVERGED", "STALE"):
        if word in words:
            return EXIT[word]
    return NOT_WITNESSED if keys.quorum and "CONSISTENT" in words else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a SafeRoom evidence bundle offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--keys", type=Path, required=True, help="your own file of verifier keys")
    parser.add_argument("--seen", type=Path, action="append", default=[], help="a checkpoint that you kept")
    parser.add_argument("--max-age-s", type=float, help="how old the newest may be")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    keys = Keys(given.keys.read_text("utf-8"))
    try:
        bundle = Bundle(given.bundle)
        seen = [path.read_text("utf-8") for path in given.seen]
        verdicts = [verify(bundle, name, keys, seen, given.max_age_s) for name in bundle.logs()]
        if not verdicts:
            raise Refused("the bundle holds no log")
    except (Refused, *MALFORMED) as error:
        verdicts = [
            {"verdict": "INVALID", "origin": "the bundle", "size": 0, "entries": 0, "fault": str(error)}
        ]
        verdicts[0]["not_proved"] = NOT_PROVED["INVALID"]
    if given.json:
        print(json.dumps({"logs": verdicts}, ensure_ascii=False, indent=2))
    else:
        for one in verdicts:
            print(
                f"{one['verdict']}  {one['origin']}  {one['entries']} of {one['size']} entries {one['fault']}"
            )
            print(f"  {one['not_proved']}")
    return exit_code(verdicts, keys)


if __name__ == "__main__":
    sys.exit(main())
