"""Whole jobs in threads of this process: real tasks, contracts, data sets and logs; a network in memory.

What a job process asks its daemon, `PaperDaemon` asks the node's core at once. Every message is kept with
the size its sender's log had when it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from saferoom.channel.codec import decode
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.contracts.contract import Contract
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.context import JobContext
from saferoom.jobs.spec import JobSpec, Service
from saferoom.node.core import Core
from saferoom.tasks.registry import task_of
from tests.node_room import Nodes
from tests.waiting import LIMIT_S


@dataclass(frozen=True)
class Message:
    """One message as it was sent: `logged` entries stood in the sender's log by then."""

    sender: str
    receiver: str
    label: str
    tensors: list[Any]
    logged: int


@dataclass
class PaperDaemon:
    """Stands for the pipe to the daemon and for the daemon behind it."""

    core: Core
    job: dict[str, Any]
    on_disclosure: Callable[[Disclosure], None] = lambda disclosure: None
    told: list[Any] = field(default_factory=list)

    def disclose(self, disclosure: Disclosure) -> None:
        self.on_disclosure(disclosure)
        plain = {"kind": disclosure.kind, "to": disclosure.to, "shape": list(disclosure.shape)}
        self.core.disclose(self.job, {**plain, "step": disclosure.step})

    def record(self, type_: str, **fields: Any) -> None:
        self.core.record_from_job(self.job, {"type": type_, **fields})

    def tell(self, kind: Service, payload: Any) -> None:
        self.told.append((kind, payload))


@dataclass
class Played:
    """One job. `disclosures[node]` are (index in its log, kind, recipient, shape, step).

    `facts[node]`: what it keeps of the job for its own people.
    """

    job_id: str
    messages: list[Message]
    disclosures: dict[str, list[tuple[int, str, str, str, str]]]
    error: Exception | None = None
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def learnt(self) -> set[tuple[str, str]]:
        return {(kind, to) for found in self.disclosures.values() for _, kind, to, _, _ in found}


def play(
    nodes: Nodes,
    contract: Contract,
    kind: str = "train",
    *,
    params: dict[str, Any] | None = None,
    local: dict[str, dict[str, Any]] | None = None,
    meddle: dict[str, Callable[[Disclosure], None]] | None = None,
    on_context: Callable[[JobContext], None] = lambda context: None,
) -> Played:
    """Run a job of an active contract. `meddle[party]` sees each disclosure first, and may raise.

    `on_context` is told what each role works with. An error of a task is kept in the result. What the parties
    staged is kept as their models.
    """
    job_id = nodes.cores[COORDINATOR].new_id()
    job: dict[str, Any] = {"id": job_id, "contract_id": contract.id, "kind": kind, "params": params or {}}
    messages: list[Message] = []

    def tap(sender: str, receiver: str, message: bytes) -> None:
        label, tensors = decode(message)
        messages.append(Message(sender, receiver, label, tensors, core_of(nodes, sender).log.size))

    facts: dict[str, dict[str, Any]] = {}
    network = MemoryNetwork(tap)
    parties = tuple(sorted(contract.parties))

    def role(me: str) -> None:
        core = core_of(nodes, me)
        daemon = PaperDaemon(core, job, (meddle or {}).get(me, lambda disclosure: None))
        spec = JobSpec(
            job_id=job_id,
            session=1,
            me=me,
            kind=kind,
            contract=contract.to_plain(),
            params=job["params"],
            keys={},
            home=str(core.home.root),
            local=(local or {}).get(me, {}),
        )
        session = Session(
            network.endpoint(me), parties, helper=HELPER, timeout_s=LIMIT_S, on_disclosure=daemon.disclose
        )
        folder = core.home.job(job_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        context = JobContext(spec, contract, session, daemon, folder)  # type: ignore[arg-type]
        on_context(context)
        facts[me] = context.facts
        task = task_of(contract.task.kind, kind)
        (task.helper if me == HELPER else task.party)(context, contract.params)
        core.home.keep_job(job_id)

    error = None
    try:
        run_together({me: partial(role, me) for me in (*parties, HELPER)}, network)
    except Exception as caught:
        error = caught
    disclosed = {me: _disclosed(nodes, me, job_id) for me in (*parties, HELPER)}
    return Played(job_id, messages, disclosed, error, facts)


def core_of(nodes: Nodes, endpoint: str) -> Core:
    return nodes.cores[COORDINATOR if endpoint == HELPER else endpoint]


def _disclosed(nodes: Nodes, me: str, job_id: str) -> list[tuple[int, str, str, str, str]]:
    found = []
    for index, event in enumerate(nodes.events(COORDINATOR if me == HELPER else me)):
        if event["type"] == "disclosure" and event["session"]["id"] == job_id:
            assert event["outcome"] == "allowed", event
            what = event["disclosure"]
            found.append((index, what["kind"], what["to"], str(what["shape"]), what["protocol"]))
    return found
