"""Compare logs with each other: both ends of every conversation, and the relay.

A log proves that nothing in it was changed, not that everything is in it. What one party leaves out stands in
the log of whom it spoke with, and in the relay's. Each log is to be verified first; here they are believed
to be what their owners signed, and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from saferoom.audit.reconcile.findings import Finding, Flow, Reconciliation
from saferoom.audit.reconcile.flows import FlowCheck, Keys
from saferoom.audit.reconcile.jobs import JobCheck, check_contracts
from saferoom.audit.reconcile.statements import Entries, read_statements

PATIENCE_S = 60.0
"""How far the clocks of different organisations may be apart."""


def reconcile(
    logs: Sequence[Entries], *, keys: Keys | None = None, patience_s: float = PATIENCE_S, job: str = ""
) -> Reconciliation:
    """Name what is missing, mismatched, late or forged between logs, and in whose log.

    `keys`: contract hash (hexadecimal) to the Ed25519 signing keys it pins, by endpoint; from contracts that
    the auditor trusts. Without them receipts are not checked. `job`: only jobs whose id begins so.

    Raises: UsageError if a log is given twice; VerificationError if an entry is not canonical; StorageError.
    """
    statements = read_statements(logs)
    findings: list[Finding] = [] if job else check_contracts(statements)
    flows: list[Flow] = []
    notes: list[str] = []
    jobs = [one for name, one in sorted(statements.jobs.items()) if name.startswith(job)]
    unchecked = 0
    for one in jobs:
        conversations = FlowCheck(statements, one, keys or {}, patience_s)
        steps = JobCheck(statements, one, patience_s)
        for check in (conversations, steps):
            check.run()
            findings += check.findings
            notes += check.notes
        flows += conversations.flows
        unchecked += sum(flow.received is not None for flow in conversations.flows) * (
            one.contract_hash not in (keys or {})
        )
    absent = {name for one in jobs for name in one.endpoints() if not statements.has_log_of(name)}
    notes += [f"no log of {name} was given to compare with" for name in sorted(absent)]
    if unchecked:
        notes.append(f"{unchecked} receipts were not checked: give the contracts that pin the senders' keys")
    return Reconciliation(
        tuple(statements.origins), len(jobs), tuple(findings), tuple(flows), tuple(dict.fromkeys(notes))
    )
