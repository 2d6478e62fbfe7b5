"""From a contract to the closed set of what may be disclosed under it, and to whom.

Its kind of task says it, job by job; `docs/threat-model.md` has the whole table, and a test compares the two.
"""

from __future__ import annotations

from saferoom.contracts.contract import Contract
from saferoom.kinds.base import Pairs


def jobs_of(contract: Contract) -> tuple[str, ...]:
    """The kinds of job that the contract's uses allow, by name."""
    return tuple(job.name for job in contract.jobs())


def allowed_disclosures(contract: Contract, job: str | None = None) -> Pairs:
    """Allowed (kind, recipient) pairs in jobs of this kind; without `job`, in any the contract allows."""
    allowed: Pairs = frozenset()
    for kind in contract.jobs():
        if job in (None, kind.name):
            allowed |= kind.discloses(contract)
    return allowed
