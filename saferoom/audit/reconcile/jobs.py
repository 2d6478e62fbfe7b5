"""What must stand in more than one log besides the conversations: disclosures, a job's steps, contracts.

disclosure      who discloses logs it before, who learns logs it after
job             offered and started by the coordinator; accepted, started by every party; one end for all
psi.done        every party of a finished job, with the same bucket of rows
contract        what the coordinator made active, refused or closed stands at every party, and the reverse
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from saferoom.audit.reconcile.findings import Finding, FindingKind
from saferoom.audit.reconcile.statements import ENDS, ENDS_WELL, JobStatements, Statement, Statements
from saferoom.ids import COORDINATOR, HELPER

AT_COORDINATOR = ("job.offered", "job.started", ENDS_WELL)
AT_PARTY = ("job.accepted", "job.started", "psi.done", ENDS_WELL)
ABOUT_CONTRACTS = ("contract.activated", "contract.revoked", "contract.expired", "contract.refused")


@dataclass(slots=True)
class JobCheck:
    """One job's disclosures and steps. `run` fills `findings` and `notes`."""

    logs: Statements
    job: JobStatements
    patience_s: float
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        self._disclosures()
        if self.job.has_ended_well():
            self._finished()
        elif self.job.of("job.started"):
            self._broken_off()
        elif self.job.of("job.refused"):
            self._refused()

    # --- disclosures ------------------------------------------------------------

    def _disclosures(self) -> None:
        claimed, learnt = self._sorted_disclosures()
        for key in sorted(claimed.keys() | learnt.keys()):
            giver, taker, kind, step = key
            if not (self.logs.has_log_of(giver) and self.logs.has_log_of(taker)):
                continue
            said, heard = claimed.get(key, []), learnt.get(key, [])
            what = f"disclosure {kind} {giver} → {taker} ({step})"
            if len(said) < len(heard):
                why = f"{taker} learnt it {len(heard)} times, {giver} claims {len(said)}"
                self._blame("missing", giver, what, why, *heard, *said)
            elif len(heard) < len(said) and self.job.has_ended_well():
                why = f"{giver} claims it {len(said)} times, {taker} logged {len(heard)}"
                self._blame("missing", taker, what, why, *said, *heard)
            elif len(heard) < len(said):
                self.notes.append(f"{what}: the job broke off, so it may not have arrived")
            if said and heard:
                self._compare_disclosures(giver, taker, what, said, heard)

    def _sorted_disclosures(self) -> tuple[dict[tuple[str, ...], list[Statement]], ...]:
        claimed: dict[tuple[str, ...], list[Statement]] = defaultdict(list)
        learnt: dict[tuple[str, ...], list[Statement]] = defaultdict(list)
        for one in self.job.of("disclosure"):
            what = one.event["disclosure"]
            kind, step = what["kind"], what.get("protocol", "")
            if one.event["outcome"] != "allowed" or (what["to"] == one.endpoint and not one.peer):
                continue
            if one.peer:
                learnt[one.peer["org"], one.endpoint, kind, step].append(one)
            else:
                claimed[one.endpoint, what["to"], kind, step].append(one)
        return claimed, learnt

    def _compare_disclosures(
        self, giver: str, taker: str, what: str, said: list[Statement], heard: list[Statement]
    ) -> None:
        shapes = [
            Counter(str(one.event["disclosure"].get("shape")) for one in side) for side in (said, heard)
        ]
        if len(said) == len(heard) and shapes[0] != shapes[1]:
            why = "the two logs give it different shapes"
            self._blame("mismatched", f"{giver} or {taker}", what, why, *said, *heard)
        gap_s = min(one.time_s for one in said) - min(one.time_s for one in heard)
        if gap_s > self.patience_s:
            why = f"it was written {gap_s:.0f} s after {taker} had it"
            self._blame("late", giver, what, why, said[0], heard[0])
        sent, received = self._cuts(giver, "sent", taker), self._cuts(taker, "received", giver)
        first = min(said, key=lambda one: one.index)
        # With a cut left out, which is a finding of its own, the last one here is not the last there was.
        if sent and len(sent) == len(received) and first.index > sent[-1].index:
            why = "it stands behind the last words it could have gone out with"
            self._blame("late", giver, what, why, first, sent[-1])

    def _cuts(self, endpoint: str, direction: str, org: str) -> list[Statement]:
        wanted = {"direction": direction, "org": org}
        spoken = self.job.of("transcript", endpoint)
        return [one for one in spoken if wanted.items() <= one.peer.items() and "cut" in one.peer]

    # --- steps of a job ------------------------------------------------------------

    def _parties(self) -> list[str]:
        known = self.job.endpoints() - {COORDINATOR, HELPER}
        return sorted(party for party in known if self.logs.has_log_of(party))

    def _finished(self) -> None:
        if self.logs.has_log_of(COORDINATOR):
            self._must_have(COORDINATOR, AT_COORDINATOR)
        for party in self._parties():
            self._must_have(party, AT_PARTY)
        for one in (*self.job.of("job.failed"), *self.job.of("job.cancelled")):
            why = "other logs say that the job finished"
            shown = self._elsewhere(ENDS_WELL, one.endpoint)
            self._blame("mismatched", one.endpoint, one.event["type"], why, one, *shown)
        self._same_rows()

    def _elsewhere(self, type_: str, endpoint: str) -> list[Statement]:
        """Another log's statement of a type; of any log if no other has one."""
        found = self.job.of(type_)
        return ([one for one in found if one.endpoint != endpoint] or found)[:1]

    def _must_have(self, endpoint: str, types: tuple[str, ...]) -> None:
        for type_ in types:
            found = self.job.of(type_, endpoint)
            has_other_end = type_ == ENDS_WELL and any(self.job.of(end, endpoint) for end in ENDS)
            if not found and not has_other_end:
                shown = self._elsewhere(ENDS_WELL, endpoint)
                self._blame("missing", endpoint, type_, "the job finished", *shown)

    def _same_rows(self) -> None:
        rows = {one.endpoint: one for one in self.job.of("psi.done") if one.endpoint != HELPER}
        buckets = Counter(one.event.get("object", {}).get("rows_bucket", "") for one in rows.values())
        if len(buckets) < 2:
            return
        (usual, count), *_ = buckets.most_common()
        odd = [one for one in rows.values() if one.event.get("object", {}).get("rows_bucket", "") != usual]
        by = " or ".join(sorted(one.endpoint for one in (odd if count > 1 else rows.values())))
        self._blame("mismatched", by, "psi.done", "the parties aligned different rows", *rows.values())

    def _broken_off(self) -> None:
        for endpoint in sorted({one.endpoint for one in self.job.of("job.started")}):
            if not any(self.job.of(end, endpoint) for end in ENDS):
                shown = self._elsewhere("job.started", endpoint)
                self._blame("missing", endpoint, "end of the job", "it was started, and has no end", *shown)

    def _refused(self) -> None:
        at_parties = [one for one in self.job.of("job.refused") if one.endpoint != COORDINATOR]
        at_coordinator = self.job.of("job.refused", COORDINATOR)
        if at_parties and self.logs.has_log_of(COORDINATOR) and not self.job.of("job.offered", COORDINATOR):
            self._blame("missing", COORDINATOR, "job.offered", "a party refused the offer", *at_parties)
        if at_parties and not at_coordinator and self.logs.has_log_of(COORDINATOR):
            self._blame("missing", COORDINATOR, "job.refused", "a party refused the offer", *at_parties)

    def _blame(self, kind: FindingKind, by: str, what: str, why: str, *shown: Statement) -> None:
        places = tuple(one.place for one in shown)
        self.findings.append(Finding(kind, by, self.job.id, self.job.contract, what, why, places))


def check_contracts(logs: Statements) -> list[Finding]:
    """Contracts that stand in one log in a state that another log does not know."""
    findings = []
    works_under: dict[str, set[str]] = defaultdict(set)
    for job in logs.jobs.values():
        here = {name for name in job.endpoints() - {HELPER} if logs.has_log_of(name)}
        works_under[job.contract_hash] |= here
    for (contract, digest), statements in sorted(logs.contracts.items()):
        knows = {one.endpoint for one in statements} | works_under[digest]
        for type_ in ABOUT_CONTRACTS:
            has = {one.endpoint for one in statements if one.event["type"] == type_}
            # A refusal or expiry is noticed by each node for itself, if at all while it is up.
            owed = knows if type_ == "contract.activated" else knows & {COORDINATOR}
            for endpoint in sorted(owed - has) if has else []:
                shown = tuple(one.place for one in statements if one.event["type"] == type_)
                why = "other logs have it"
                findings.append(Finding("missing", endpoint, "", contract, type_, why, shown))
    return findings
