"""Whether all who were told one value were told the same: digests that parties compare before a release.

    told alike     a message of one party that several others hear: opened shares, masked columns, sizes
    noted          its SHA-256, by sender and hearer and by everybody else who hears it, in order
    compared       each two parties swap one digest a sender, of what both of them know

Of two who know the same messages each sends what the other can compute: it learns nothing. Where they
differ, somebody lied: nothing more is released, and the error says who, as far as two can know.

    a peer's digest of its own messages is not ours    it sent others than it sent us, or says so
    a peer's digest of our messages is not ours        it says that it heard what we never sent
    its digest of a third party's is not ours          that party told us two things, or the peer says so

Of the last two can only say that it is one or the other: nothing is signed. The third party knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.channel.transport import Buffer
from saferoom.errors import PeerError

DIGEST_BYTES = 32
_DOMAIN = b"saferoom/echo/1"
_REMEDY = (
    "the job has ended and nothing more was released; have that party's node looked at, and compare what all "
    "nodes' logs say of this step"
)


class Echo:
    """One party's end. A message is noted where it is sent and where it is heard, in the sender's order."""

    def __init__(self, me: str, parties: Sequence[str]) -> None:
        self._me, self._parties = me, tuple(parties)
        peers = [party for party in self._parties if party != me]
        self._known = {
            peer: {s: hashlib.sha256(_DOMAIN + s.encode()) for s in self._parties} for peer in peers
        }
        self._steps: dict[str, dict[str, list[str]]] = {peer: {} for peer in peers}

    @property
    def shape(self) -> tuple[int, int]:
        """Of what each two parties swap: a digest of each sender, in the public order."""
        return len(self._parties), DIGEST_BYTES

    @property
    def due(self) -> tuple[str, ...]:
        """With whom there is something to compare: the peer sees it likewise, unless somebody lies."""
        return tuple(peer for peer, steps in self._steps.items() if steps)

    def note(self, sender: str, hearers: Sequence[str], step: str, message: Sequence[Buffer]) -> None:
        """What `sender` tells all `hearers` alike. Of one hearer there is nobody to tell apart."""
        told = [party for party in hearers if party != sender]
        if len(told) < 2 or self._me not in (sender, *told):
            return
        hasher = hashlib.sha256()
        for part in message:
            hasher.update(part)
        digest = hasher.digest()
        for peer in (sender, *told):
            if peer != self._me:
                self._known[peer][sender].update(digest)
                first_and_last = self._steps[peer].setdefault(sender, [step, step])
                first_and_last[1] = step

    def digests(self, peer: str) -> NDArray[np.uint8]:
        """Of each sender, what this party and `peer` both know: of `shape`."""
        known = self._known[peer]
        data = b"".join([known[sender].digest() for sender in self._parties])
        return np.frombuffer(data, dtype=np.uint8).reshape(self.shape)

    def compare(self, heard: Mapping[str, NDArray[Any]], step: str) -> None:
        """Make sure that each peer's digests are ours. Raises PeerError; begins anew otherwise."""
        differ = {
            peer: [
                sender
                for sender, ours, its in zip(self._parties, self.digests(peer), theirs, strict=True)
                if not np.array_equal(ours, its)
            ]
            for peer, theirs in heard.items()
        }
        for peer, senders in differ.items():
            if self._me in senders:
                raise self._error(
                    peer, peer, self._me, step, "it says that it heard other values than we sent"
                )
            if peer in senders:
                raise self._error(
                    peer, peer, peer, step, "by its own word it sent other values than we heard from it"
                )
        for peer, senders in differ.items():
            for sender in senders:
                what = f"it told {peer} other values than us, or {peer} says so falsely"
                raise self._error(sender, peer, sender, step, what)
        for peer in heard:
            self._steps[peer] = {}

    def _error(self, party: str, peer: str, sender: str, step: str, what: str) -> PeerError:
        first, last = self._steps[peer].get(sender, [step, step])
        where = f"step {first!r}" if first == last else f"the steps from {first!r} to {last!r}"
        return PeerError(
            f"expected one value for all, and two digests came: {what}, in {where}",
            party=party,
            step=step,
            remedy=_REMEDY,
        )
