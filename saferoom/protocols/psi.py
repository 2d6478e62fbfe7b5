"""Private set intersection with a helper: which enterprises do all parties hold?

    parties   first party draws a key, hands it to the other parties, never to the helper
              token = BLAKE2b-128(key, id); the sorted tokens go to the helper, and among them those of
              DUMMIES enterprises that do not exist, the same at every party
    helper    intersects pseudonyms it cannot turn back, and tells each party where its own tokens
              stand in the common set
    parties   look for the dummies, so that a helper that leaves some out is found out, and compare a digest
              of the intersection, so that one that lies to some is

The common set in token order is the common row order of the whole job. A fresh key every time makes the
tokens of two jobs unlinkable, and the order of rows random.

A helper that leaves a share d of the common set out at every party alike keeps all dummies with a chance of
(1 - d)**DUMMIES. It cannot add an enterprise. Dummies are in no result, and in no count but of bytes.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.channel.session import Session
from saferoom.errors import PeerError, RefusedError, UsageError
from saferoom.sharing.values import Public, Seed, Tokens

_log = logging.getLogger(__name__)

Ids: TypeAlias = NDArray[Any] | Sequence[str] | Sequence[bytes]

KEY_BYTES = 32
TOKEN_BYTES = 16
DIGEST_BYTES = 32
MAX_IDS = 100_000_000
MAX_PARTIES = 8
DUMMIES = 128
_PERSON = b"saferoom/psi/1"
_DUMMY_PERSON = b"saferoom/dummy/1"
# numpy compares fixed-width bytes as memcmp does, so tokens sort and search exactly, at C speed.
_TOKEN = np.dtype(f"S{TOKEN_BYTES}")
_HASHED_AT_ONCE = 1 << 16
_NOTHING_COMMON, _TOO_FEW, _ENOUGH = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Query:
    """Not whole data sets are aligned: `by` asks which enterprises of a list are known to all.

    Whom it asks for is what it is told of, so its list is no longer than the `rows` it was granted.
    """

    by: str
    rows: int

    def check(self, size: int, step: str) -> None:
        """Raise RefusedError if the list is longer than it may be."""
        if size > self.rows:
            raise RefusedError(
                f"the list of enterprises holds more than the {self.rows} that the job asks for",
                party=self.by,
                step=step,
                remedy="ask for as many as the list holds: they count towards the contract's scores a day",
            )


def align(s: Session, ids: Ids, *, minimum_rows: int = 1, query: Query | None = None) -> NDArray[np.int64]:
    """The party's side: indices of its rows that all parties hold, in the common row order.

    `ids` are normalised and distinct: text (compared as UTF-8), bytes, or a fixed-width bytes array. With a
    `query`, those of one party are its list of enterprises to be scored, and the result is at most that long.

    Shapes:   ids (n,) -> (m,) indices into ids, m >= minimum_rows.
    Rounds:   2, and half a one for the key. (A job compares afterwards whether key and digest were the same
              at all, as whatever is told to several: `Session.confirm`.)
    Sends:    16·(n + DUMMIES) + 8 bytes to the helper, 32 to each other party; the first party 32 more to
              each.
    Reveals:  to the helper, `set_sizes`: every n, and how the sets overlap, under pseudonyms;
              to every party, `intersection`: which of its own ids all the others hold too.
              Below the minimum: only that it is below, or that nothing is common.
    Assumes:  the helper colludes with no party (with the key it could try out codes).
    Source:   server-aided PSI: Kamara, Mohassel, Raykova, Sadeghian 2014, semi-honest helper.
    Raises:   UsageError (no ids, duplicates, wrong type, nothing in common), RefusedError (fewer than the
              minimum, or more than was asked for), PeerError (a helper or peer that does not follow the
              protocol; a dummy is missing), PeerTimeout.
    """
    helper = _helper_of(s)
    most = len(ids) if query is None else min(len(ids), query.rows)
    if query is not None and query.by == s.me:
        query.check(len(ids), s.step("size"))
    if not 1 <= len(ids) <= MAX_IDS:
        raise UsageError(f"alignment takes 1 to {MAX_IDS} ids, got {len(ids)}", party=s.me)
    for party in s.parties:
        s.declare("positions", party, (most,), kind="intersection")
    key = _agree_on_key(s)
    tokens = np.concatenate([tokens_of(ids, key), dummy_tokens(key)])
    order = _order(tokens)
    tokens = tokens[order]
    if np.any(tokens[1:] == tokens[:-1]):
        raise UsageError("an id stands in the list twice", party=s.me, remedy="drop duplicates first")

    s.disclose("size", helper, np.array([len(ids)], dtype=np.uint64), kind="set_sizes")
    s.send(helper, "tokens", Tokens(_as_bytes(tokens)))
    _check_verdict(int(s.receive_one(helper, "verdict", (1,), np.uint8)[0]), helper, s.step("verdict"))
    positions = s.receive_one(helper, "positions", (-1,), np.uint32)
    if np.any(positions >= len(tokens)) or np.any(positions[1:] <= positions[:-1]):
        raise PeerError("positions out of range or out of order", party=helper, step=s.step("positions"))
    rows = _without_dummies(s, order[positions], len(ids))
    if len(rows) < max(minimum_rows, 1):
        raise RefusedError("the helper released fewer common rows than the minimum", party=helper)
    if len(rows) > most:
        raise RefusedError("the helper released more common rows than were asked for", party=helper)
    _compare_digests(s, key, tokens[positions])
    _log.info("aligned with %d other parties", len(s.peers))
    return rows


def match(s: Session, *, minimum_rows: int = 1, query: Query | None = None) -> int:
    """The helper's side: intersect the tokens of all parties; return how many enterprises are common.

    It cannot tell dummies from enterprises, but takes their number off. Fewer common enterprises than
    `minimum_rows` (at least 1): every party hears the verdict alone, no position is sent. A list longer than
    its `query` is refused when its size is heard, before anybody is told anything.

    Shapes:   tokens (n_i + DUMMIES, 16) of each party -> (m + DUMMIES,) positions to each.
    Rounds:   1.
    Sends:    1 + 4·(m + DUMMIES) bytes to each party.
    Reveals:  to every party, `intersection`.
    Assumes:  no party colludes with this helper.
    Source:   as for `align`.
    Raises:   UsageError, RefusedError, PeerError, PeerTimeout.
    """
    _helper_of(s)
    sets = [_receive_tokens(s, party, query) for party in s.parties]
    common = intersect(sets)
    rows = max(len(common) - DUMMIES, 0)
    verdict = _ENOUGH if rows >= max(minimum_rows, 1) else _TOO_FEW if rows else _NOTHING_COMMON
    for party in s.parties:
        s.send(party, "verdict", Public(np.array([verdict], dtype=np.uint8)))
    _check_verdict(verdict, s.me, s.step("verdict"))
    for party, tokens in zip(s.parties, sets, strict=True):
        positions = _places(tokens, common).astype(np.uint32)
        s.disclose("positions", party, positions, kind="intersection", shape=(rows,))
    return rows


def tokens_of(ids: Ids, key: bytes) -> NDArray[np.bytes_]:
    """Keyed pseudonyms of `ids`, in their order: (n,) of 16 bytes each."""
    keyed = hashlib.blake2b(digest_size=TOKEN_BYTES, key=key, person=_PERSON)

    def token(encoded: bytes) -> bytes:
        hasher = keyed.copy()
        hasher.update(encoded)
        return hasher.digest()

    hashed = bytearray()
    for start in range(0, len(ids), _HASHED_AT_ONCE):
        hashed += b"".join([token(i) for i in _encoded(ids[start : start + _HASHED_AT_ONCE])])
    return np.frombuffer(hashed, dtype=_TOKEN)


def dummy_tokens(key: bytes) -> NDArray[np.bytes_]:
    """Pseudonyms of DUMMIES enterprises that do not exist: no id has one of them."""
    digests = [
        hashlib.blake2b(b"%d" % i, digest_size=TOKEN_BYTES, key=key, person=_DUMMY_PERSON).digest()
        for i in range(DUMMIES)
    ]
    return np.frombuffer(b"".join(digests), dtype=_TOKEN)


def _without_dummies(s: Session, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Of common rows those below `count`. Raises PeerError unless all dummies are there, too.

    One that the helper left out looks like one that another party did not bring, so the error names all who
    may have: everybody but us.
    """
    is_real = rows < count
    missing = DUMMIES - (len(rows) - np.count_nonzero(is_real))
    if missing:
        helper, peers = _helper_of(s), " or ".join(s.peers)
        raise PeerError(
            f"expected {DUMMIES} dummies among the common rows, and {missing} of them are missing: {helper} "
            f"left out what all hold, or {peers} brought fewer than it should; ours were all sent",
            party=f"{helper} or {peers}",
            step=s.step("positions"),
            remedy="the job ends before any training or score; before the next one have the nodes of all "
            "that are named looked at",
        )
    return rows[is_real]


def _encoded(ids: Ids) -> list[bytes]:
    items: list[Any] = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    try:
        return [i if type(i) is bytes else i.encode() for i in items]
    except AttributeError:
        raise UsageError("an id is neither text nor bytes", remedy="read the id column as text") from None


def _agree_on_key(s: Session) -> bytes:
    if not s.is_first:
        return s.hear_one(s.parties[0], "key", (KEY_BYTES,), np.uint8).tobytes()
    key = secrets.token_bytes(KEY_BYTES)
    s.broadcast("key", Seed(np.frombuffer(key, dtype=np.uint8)))
    return key


def _compare_digests(s: Session, key: bytes, common: NDArray[np.bytes_]) -> None:
    digest = hashlib.blake2b(common.tobytes(), digest_size=DIGEST_BYTES, key=key, person=_PERSON).digest()
    s.broadcast("digest", Public(np.frombuffer(digest, dtype=np.uint8)))
    for peer in s.peers:
        theirs = s.hear_one(peer, "digest", (DIGEST_BYTES,), np.uint8).tobytes()
        if theirs != digest:
            raise PeerError(
                "its common set is another than ours: the helper or that party does not follow the protocol",
                party=peer,
                step=s.step("digest"),
            )


def _check_verdict(verdict: int, party: str, step: str) -> None:
    if verdict == _NOTHING_COMMON:
        raise UsageError(
            "the parties have no enterprise in common",
            step=step,
            remedy="check at every party which column is the id, and of which kind",
        )
    if verdict == _TOO_FEW:
        raise RefusedError(
            "fewer enterprises in common than the contract's minimum; nothing was released", step=step
        )
    if verdict != _ENOUGH:
        raise PeerError("a verdict that does not exist", party=party, step=step)


def _receive_tokens(s: Session, party: str, query: Query | None) -> NDArray[np.bytes_]:
    size = int(s.receive_one(party, "size", (1,), np.uint64)[0])
    if not 1 <= size <= MAX_IDS:
        raise PeerError(f"a set size outside 1 to {MAX_IDS}", party=party, step=s.step("size"))
    if query is not None and query.by == party:
        query.check(size, s.step("size"))
    raw = s.receive_one(party, "tokens", (size + DUMMIES, TOKEN_BYTES), np.uint8)
    tokens = np.frombuffer(raw, dtype=_TOKEN)
    if np.any(tokens[1:] <= tokens[:-1]):
        raise PeerError("tokens that are not sorted and distinct", party=party, step=s.step("tokens"))
    return tokens


def intersect(sets: Sequence[NDArray[np.bytes_]]) -> NDArray[np.bytes_]:
    """Tokens in all of the sorted sets, sorted."""
    by_size = sorted(sets, key=len)
    common = by_size[0]
    for tokens in by_size[1:]:
        nearest = np.minimum(_places(tokens, common), len(tokens) - 1)
        common = common[tokens[nearest] == common]
    return common


def _order(tokens: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """The order that sorts them. Numbers sort several times faster than bytes, and halves hardly ever tie."""
    halves = _first_halves(tokens)
    order = np.argsort(halves)
    return order if _are_distinct(halves[order]) else np.argsort(tokens)


def _places(tokens: NDArray[np.bytes_], wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Where each of `wanted`, if it is among the sorted tokens, stands there; else any place."""
    halves = _first_halves(tokens)
    if _are_distinct(halves):
        return np.searchsorted(halves, _first_halves(wanted))
    return np.searchsorted(tokens, wanted)


def _first_halves(tokens: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """The first eight bytes as numbers in the same order."""
    halves: NDArray[np.uint64] = (
        np.ascontiguousarray(tokens).view(">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
    )
    return halves


def _are_distinct(ordered: NDArray[np.uint64]) -> bool:
    return bool(np.all(ordered[1:] != ordered[:-1]))


def _as_bytes(tokens: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    return tokens.view(np.uint8).reshape(-1, TOKEN_BYTES)


def _helper_of(s: Session) -> str:
    if s.helper is None:
        raise UsageError("assisted alignment needs a helper", remedy="use the strict mode's alignment")
    if not 2 <= len(s.parties) <= MAX_PARTIES:
        raise UsageError(f"alignment is for 2 to {MAX_PARTIES} parties, got {len(s.parties)}")
    return s.helper
