"""All that golden tests take from SafeRoom, in one place: whoever moves or renames a thing follows it here.

Rooms, nodes and jobs come from `tests.node_room` and `tests.task_room`, which have imports of their own.
"""

from __future__ import annotations

from saferoom.channel.session import Disclosure
from saferoom.contracts.canonical import canonical_bytes, contract_hash
from saferoom.contracts.checks import (
    check_active,
    check_columns,
    check_dataset,
    check_disclosure,
    check_job,
    check_rows,
)
from saferoom.contracts.contract import Contract, contract_from, parse_contract
from saferoom.contracts.disclosures import allowed_disclosures, jobs_of
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.explain import Explanation, explain, render_explanation
from saferoom.contracts.policy import Policy, load_policy, policy_reasons
from saferoom.contracts.policy import check_contract as check_contract_by_policy
from saferoom.contracts.policy import check_job as check_job_by_policy
from saferoom.contracts.policy import job_reasons as job_reasons_by_policy
from saferoom.contracts.retention import due, sign_order, verify_order
from saferoom.contracts.signatures import sign_decision, verify_decision
from saferoom.errors import RefusedError
from saferoom.files.yaml_text import parse_yaml, read_yaml
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.context import JobContext
from saferoom.kinds.base import Usage
from saferoom.tasks.registry import task_of

__all__ = [
    "COORDINATOR",
    "HELPER",
    "Contract",
    "Disclosure",
    "Explanation",
    "JobContext",
    "NodeKeys",
    "Policy",
    "PublicKeys",
    "RefusedError",
    "Usage",
    "allowed_disclosures",
    "canonical_bytes",
    "check_active",
    "check_columns",
    "check_contract_by_policy",
    "check_dataset",
    "check_disclosure",
    "check_job",
    "check_job_by_policy",
    "check_rows",
    "contract_from",
    "contract_hash",
    "draft_contract",
    "due",
    "explain",
    "job_reasons_by_policy",
    "jobs_of",
    "load_policy",
    "parse_contract",
    "parse_yaml",
    "policy_reasons",
    "read_yaml",
    "render_explanation",
    "sign_decision",
    "sign_order",
    "task_of",
    "verify_decision",
    "verify_order",
]
