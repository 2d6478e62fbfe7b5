"""A job's conversations: cut at phase ends, and reported to the daemon, which writes them to the log.

A mark carries the sender's receipt and the disclosures it made to the receiver in that phase. It travels
behind what it covers, so no phase waits for it; only at the job's end everybody waits for the last marks.
One event a flow and phase: a flow on which nothing new was said is not cut.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from saferoom.channel.session import Disclosure
from saferoom.errors import PeerError
from saferoom.jobs.context import Daemon
from saferoom.link.job.joblink import JobLink
from saferoom.link.transcript import Mark, Said

END_S = 7 * 86_400.0
"""Longest wait for the peers' last marks. Who fails is noticed by the daemons, which end the job."""

Cut = dict[str, Any]


class Conversations:
    """All flows of one job process. Called by the protocol's thread alone."""

    def __init__(self, link: JobLink, daemon: Daemon, peers: Sequence[str], timeout_s: float) -> None:
        self._link = link
        self._daemon = daemon
        self._peers = sorted(peers)
        self._timeout_s = timeout_s
        self._said = dict.fromkeys(self._peers, Said())
        self._sent_cuts = dict.fromkeys(self._peers, 0)
        self._heard_cuts = dict.fromkeys(self._peers, 0)
        self._disclosed: dict[str, list[Disclosure]] = defaultdict(list)
        self._ended: set[str] = set()

    def disclose(self, disclosure: Disclosure) -> None:
        """Ask before a disclosure, and tell its receiver with the next mark."""
        self._daemon.disclose(disclosure)
        self._disclosed[disclosure.to].append(disclosure)

    def end_phase(self, name: str) -> None:
        """Log what was said in the phase and what has been heard; mark the flows that were spoken on."""
        said = self._link.settle(self._timeout_s)
        spoken = [peer for peer in self._peers if said[peer].messages > self._said[peer].messages]
        sent = [_cut(peer, self._sent_cuts[peer], name, said[peer]) for peer in spoken]
        receipts = self._write(sent, self._link.marks())
        for peer in spoken:
            self._mark(peer, phase=name, receipt=receipts[peer])
            self._said[peer] = said[peer]
            self._sent_cuts[peer] += 1

    def end_job(self) -> None:
        """Say on every flow that nothing more comes, and wait until all peers have said so."""
        self.end_phase("end")
        for peer in self._peers:
            self._mark(peer, last=True)
        for peer in self._peers:
            while peer not in self._ended:
                self._write([], [(peer, self._link.next_mark(peer, END_S))])

    def break_off(self) -> None:
        """Log how far it came: of a failed job no mark covers the last words."""
        sent, received = [], []
        for peer, (said, heard) in self._link.standing().items():
            if said.messages > self._said[peer].messages:
                sent.append(_cut(peer, None, "", said))
            if heard.messages:
                received.append(_cut(peer, None, "", heard))
        self._daemon.write_cut({"sent": sent, "received": received})

    def _write(self, sent: list[Cut], marks: list[tuple[str, Mark]]) -> dict[str, str]:
        """Have it logged; gives the receipts for what was sent, by peer."""
        received = [cut for peer, mark in marks if (cut := self._heard(peer, mark))]
        if not sent and not received:
            return {}
        return self._daemon.write_cut({"sent": sent, "received": received})

    def _heard(self, peer: str, mark: Mark) -> Cut:
        """What a peer's mark has to be logged as; nothing if it only says that the peer has ended."""
        try:
            body = dict(json.loads(mark.body))
        except (ValueError, TypeError) as error:
            raise PeerError("a mark that is not in the format", party=peer, step="transcript") from error
        if body.get("last"):
            self._ended.add(peer)
            return {}
        number = self._heard_cuts[peer]
        self._heard_cuts[peer] += 1
        cut = _cut(peer, number, str(body.get("phase")), mark.said)
        return cut | {"receipt": str(body.get("receipt")), "disclosures": body.get("disclosures", [])}

    def _mark(self, peer: str, **body: Any) -> None:
        if not body.get("last"):
            body["disclosures"] = [_plain(one) for one in self._disclosed.pop(peer, [])]
        self._link.mark(peer, json.dumps(body).encode())


def _cut(peer: str, number: int | None, phase: str, said: Said) -> Cut:
    return {
        "peer": peer,
        "cut": number,
        "phase": phase,
        "messages": said.messages,
        "size_bytes": said.size_bytes,
        "digest": said.digest.hex(),
    }


def _plain(disclosure: Disclosure) -> dict[str, Any]:
    return {"kind": disclosure.kind, "shape": list(disclosure.shape), "step": disclosure.step}
