"""Which verbs a party's node has, and which the coordinator's: the nouns of each, one by one."""

from __future__ import annotations

from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.audit import Audit
from saferoom.node.operations.base import Noun, Operations
from saferoom.node.operations.contracts import ContractsAtCoordinator, ContractsAtParty
from saferoom.node.operations.data import Data
from saferoom.node.operations.destruction import Destruction
from saferoom.node.operations.enrolment import EnrolmentAtCoordinator, EnrolmentAtParty
from saferoom.node.operations.jobs import JobsAtCoordinator, JobsAtParty
from saferoom.node.operations.models import Models
from saferoom.node.operations.reports import Reports
from saferoom.node.operations.scores import Scores
from saferoom.node.operations.status import Keys, StatusAtCoordinator, StatusAtParty

PARTY: tuple[type[Noun[Party]], ...] = (
    StatusAtParty,
    EnrolmentAtParty,
    Keys,
    Data,
    ContractsAtParty,
    JobsAtParty,
    Models,
    Scores,
    Reports,
    Destruction,
    Audit,
)
COORDINATOR: tuple[type[Noun[Coordinator]], ...] = (
    StatusAtCoordinator,
    EnrolmentAtCoordinator,
    Keys,
    ContractsAtCoordinator,
    JobsAtCoordinator,
    Audit,
)


def party_operations(core: Core, daemon: Party | None) -> Operations[Party]:
    """What a party's node answers to."""
    return Operations(core, daemon, PARTY)


def coordinator_operations(core: Core, daemon: Coordinator | None) -> Operations[Coordinator]:
    """What the coordinator answers to."""
    return Operations(core, daemon, COORDINATOR)
