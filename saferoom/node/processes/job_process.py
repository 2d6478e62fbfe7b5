"""One job's process, from its spec to its last word. Forked by the forkserver."""

from __future__ import annotations

import logging
import math
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress

from saferoom.channel.session import Session
from saferoom.contracts.contract import Contract
from saferoom.errors import SafeRoomError
from saferoom.ids import HELPER
from saferoom.jobs.context import Daemon, JobContext
from saferoom.jobs.conversations import Conversations
from saferoom.jobs.home import Home
from saferoom.jobs.problem import Problem
from saferoom.jobs.spec import JobSpec, Service
from saferoom.link.cipher import FlowKeys
from saferoom.link.job.allocator import keep_freed_memory
from saferoom.link.job.joblink import JobLink
from saferoom.link.pipe import Pipe, PipeClosedError
from saferoom.tasks.registry import task_of

logger = logging.getLogger(__name__)

ALIVE_EVERY_S = 3.0


def main(file_descriptor: int) -> int:
    """Run the job whose spec comes first through the pipe. Returns the process's exit code."""
    keep_freed_memory()
    pipe = Pipe.from_fileno(file_descriptor)
    try:
        kind, payload = pipe.receive()
    except PipeClosedError:
        return 1
    if kind != Service.SPEC:
        return 1
    spec = JobSpec.from_bytes(payload)
    daemon = Daemon(pipe)
    stop_alive = _say_alive(daemon)
    try:
        return _run(spec, pipe, daemon)
    except PipeClosedError:
        return 1
    finally:
        stop_alive()


def _run(spec: JobSpec, pipe: Pipe, daemon: Daemon) -> int:
    keys = {
        peer: FlowKeys(bytes.fromhex(send), bytes.fromhex(receive))
        for peer, (send, receive) in spec.keys.items()
    }
    link = JobLink(
        pipe,
        spec.me,
        bytes.fromhex(spec.job_id),
        spec.session,
        keys,
        most_wait_s=math.inf if spec.progress_timeout_s is None else spec.progress_timeout_s,
        on_service=daemon.on_service,
    )
    daemon.attach(link)
    conversations = Conversations(link, daemon, list(keys), spec.receive_timeout_s)
    contract = Contract.model_validate(spec.contract)
    session = Session(
        link,
        tuple(sorted(contract.parties)),
        helper=HELPER,
        timeout_s=spec.receive_timeout_s,
        on_disclosure=conversations.disclose,
    )
    folder = Home.at(spec.home).job(spec.job_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    context = JobContext(spec, contract, session, daemon, folder, conversations.end_phase)
    try:
        task = task_of(contract.task.kind, spec.kind)
        run = task.helper if spec.me in contract.helpers else task.party
        run(context, contract.params)
        conversations.end_job()
        link.close()
        daemon.tell(Service.FINISHED, context.summary())
    except PipeClosedError:
        raise
    except Exception as error:
        frames = "".join(traceback.format_tb(error.__traceback__))
        logger.debug("job failed at %s: %s\n%s", context.step, type(error).__name__, frames)
        problem = Problem.of(error, party=spec.me, step=context.step)
        with suppress(SafeRoomError):
            conversations.break_off()
        daemon.tell(Service.FAILED, problem.to_dict())
        return 1
    return 0


def _say_alive(daemon: Daemon) -> Callable[[], None]:
    """Tell the daemon every few seconds that this process still runs."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(ALIVE_EVERY_S):
            try:
                daemon.tell(Service.ALIVE, {})
            except PipeClosedError:
                return

    threading.Thread(target=beat, name="alive", daemon=True).start()
    return stop.set
