"""Every conversation of a job at its three logs: sender, receiver, relay.

    who has it          and who has not      at fault
    ---------------------------------------------------------------------
    relay or receipt    sender               sender: it hides what it sent
    sender and relay    receiver             receiver: it hides what it got
    sender, receiver    relay                coordinator
    sender alone        relay                sender: it invents
    receiver alone      sender, relay        receiver: it invents; its receipt would be the sender's word
    ---------------------------------------------------------------------
    two agree           the third differs    the third; a valid receipt speaks for sender and receiver

With fewer logs the rest cannot always be told, and the finding names both ends. In a job that did not finish
the last marks may have been lost, which is a note and no finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from saferoom.audit.reconcile.findings import Finding, FindingKind, Flow
from saferoom.audit.reconcile.receipts import check_receipt, receipt_body
from saferoom.audit.reconcile.statements import JobStatements, Statement, Statements
from saferoom.errors import VerificationError
from saferoom.ids import COORDINATOR

Keys = Mapping[str, Mapping[str, bytes]]
"""Contract hash (hexadecimal) to the signing keys it pins, by endpoint."""

ROLES = ("sent", "received", "relayed")
Ends = tuple[str, str]


@dataclass(slots=True)
class FlowCheck:
    """One job's conversations. `run` fills `findings`, `flows` and `notes`."""

    logs: Statements
    job: JobStatements
    keys: Keys
    patience_s: float
    findings: list[Finding] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        for (sender, receiver), cuts in sorted(self._by_flow().items()):
            before = 0
            for number in cut_numbers(cuts):
                before = self._check(sender, receiver, number, before, cuts.get(number, {}))
        if any(one.peer and "cut" not in one.peer for one in self.job.of("relay.envelope")):
            self.notes.append(f"job {self.job.id} broke off: words after the last marks are not compared")

    def _by_flow(self) -> dict[Ends, dict[int, dict[str, Statement]]]:
        flows: dict[Ends, dict[int, dict[str, Statement]]] = defaultdict(lambda: defaultdict(dict))
        for one in (*self.job.of("transcript"), *self.job.of("relay.envelope")):
            peer = one.peer
            if "cut" not in peer or one.event["outcome"] != "allowed":
                continue
            ends = _ends(one)
            here = flows[ends][peer["cut"]]
            if peer["direction"] in here:
                first = here[peer["direction"]]
                self._blame("mismatched", one.endpoint, ends, peer["cut"], "it is logged twice", first, one)
            here.setdefault(peer["direction"], one)
        return flows

    def _check(self, sender: str, receiver: str, cut: int, before: int, seen: Mapping[str, Statement]) -> int:
        """Judge one cut; gives how many messages it covers, as far as anybody says."""
        ends = (sender, receiver)
        speakers = {"sent": sender, "received": receiver, "relayed": COORDINATOR}
        expected = [role for role in ROLES if self.logs.has_log_of(speakers[role])]
        found = len(self.findings)
        receipt = self._receipt(ends, cut, seen)
        for role in expected:
            if role not in seen:
                self._missing(role, ends, cut, seen, receipt)
        self._compare(ends, cut, seen, receipt)
        self._late(ends, cut, seen)
        last = max((one.peer["messages"] for one in seen.values()), default=before)
        compared = "matched" if len(expected) > 1 else "not compared"
        self.flows.append(
            Flow(
                job=self.job.id,
                sender=sender,
                receiver=receiver,
                cut=cut,
                phase=next((one.peer["phase"] for one in seen.values() if "phase" in one.peer), ""),
                messages=(before + 1, last),
                sent=_place(seen, "sent"),
                received=_place(seen, "received"),
                relayed=_place(seen, "relayed"),
                state="unmatched" if len(self.findings) > found else compared,  # type: ignore[arg-type]
            )
        )
        return int(last)

    def _receipt(self, ends: Ends, cut: int, seen: Mapping[str, Statement]) -> bool | None:
        """Whether the receiver holds the sender's signature; None if there is no key to tell."""
        one = seen.get("received")
        key = self.keys.get(one.event.get("contract", {}).get("hash", ""), {}).get(ends[0]) if one else None
        if one is None or key is None:
            return None
        body = receipt_body(one.event["contract"]["hash"], self.job.id, *ends, {"phase": "", **one.peer})
        try:
            check_receipt(key, body, one.peer.get("receipt", ""))
        except VerificationError:
            why = "the receipt that it shows is not the sender's signature over this transcript"
            self._blame("forged", ends[1], ends, cut, why, one)
            return False
        return True

    def _missing(
        self, role: str, ends: Ends, cut: int, seen: Mapping[str, Statement], receipt: bool | None
    ) -> None:
        sender, receiver = ends
        has_relay = self.logs.has_log_of(COORDINATOR)
        shown = list(seen.values())
        if role == "sent" and ("relayed" in seen or receipt):
            witness = "the relay" if "relayed" in seen else "its own receipt"
            self._blame("missing", sender, ends, cut, f"{witness} shows that it was sent", *shown)
        elif role == "sent" and seen:
            by = receiver if has_relay or receipt is False else f"{sender} or {receiver}"
            self._blame("missing", by, ends, cut, "only the receiver says that it was sent", *shown)
        elif role == "received" and (self.job.has_ended_well() or not seen):
            invented = has_relay and "relayed" not in seen
            by = sender if invented else (receiver if "relayed" in seen else f"{sender} or {receiver}")
            why = "only the sender says so" if invented else "the job finished, and the receiver has no entry"
            self._blame("missing", by, ends, cut, why, *shown)
        elif role == "received":
            self.notes.append(f"{_name(ends, cut)}: the receiver may not have had it when the job broke off")
        elif role == "relayed" and {"sent", "received"} <= seen.keys():
            why = "both ends have it, and the relay has no entry"
            self._blame("missing", COORDINATOR, ends, cut, why, *shown)
        elif role == "relayed" and not self.job.has_ended_well():
            self.notes.append(f"{_name(ends, cut)}: the mark may not have gone out when the job broke off")

    def _compare(self, ends: Ends, cut: int, seen: Mapping[str, Statement], receipt: bool | None) -> None:
        values = {
            role: tuple(one.peer.get(word) for word in ("messages", "transcript", "bytes_bucket"))
            for role, one in seen.items()
        }
        if len(set(values.values())) < 2:
            return
        shown = list(seen.values())
        by = f"{ends[0]} or {ends[1]}"
        truth = values["received"] if receipt else _majority(values)
        odd = [role for role, value in values.items() if value != truth] if truth else []
        speakers = {"sent": ends[0], "received": ends[1], "relayed": COORDINATOR}
        for who in [speakers[role] for role in odd] or [by]:
            self._blame("mismatched", who, ends, cut, "it tells of other messages than the rest do", *shown)

    def _late(self, ends: Ends, cut: int, seen: Mapping[str, Statement]) -> None:
        """A sender writes first. Clocks of different nodes may differ by `patience_s`."""
        sent = seen.get("sent")
        for role in ("received", "relayed"):
            other = seen.get(role)
            if sent and other and sent.time_s - other.time_s > self.patience_s:
                who = "the receiver" if role == "received" else "the relay"
                why = f"it was written {sent.time_s - other.time_s:.0f} s after {who} had it"
                self._blame("late", ends[0], ends, cut, why, sent, other)
                return

    def _blame(self, kind: FindingKind, by: str, ends: Ends, cut: int, why: str, *shown: Statement) -> None:
        places = tuple(one.place for one in shown)
        what = f"{_name(ends, cut)}{_phase(shown)}"
        self.findings.append(Finding(kind, by, self.job.id, self.job.contract, what, why, places))


def _ends(one: Statement) -> Ends:
    peer = one.peer
    if peer["direction"] == "sent":
        return one.endpoint, peer["org"]
    return peer["org"], peer.get("to", one.endpoint)


def _place(seen: Mapping[str, Statement], role: str) -> tuple[str, int] | None:
    return seen[role].place if role in seen else None


def _majority(values: Mapping[str, tuple[object, ...]]) -> tuple[object, ...] | None:
    (value, count), *_ = Counter(values.values()).most_common(1)
    return value if count > 1 else None


def cut_numbers(cuts: Iterable[int]) -> Iterator[int]:
    """The cuts that somebody tells of, and the first one left out before each: a log may claim any number."""
    expected = 0
    for number in sorted(cuts):
        if number > expected:
            yield expected
        yield number
        expected = number + 1


def _name(ends: Ends, cut: int) -> str:
    return f"messages {ends[0]} → {ends[1]}, cut {cut}"


def _phase(shown: tuple[Statement, ...]) -> str:
    phases = [one.peer["phase"] for one in shown if "phase" in one.peer]
    return f" ({phases[0]})" if phases else ""
