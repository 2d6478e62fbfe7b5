"""What a verb's arguments name: a contract, a job, a model, each by the beginning of its id."""

from __future__ import annotations

from pathlib import Path

from saferoom.contracts.contract import Contract
from saferoom.errors import UsageError
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.operations.base import Plain, argument
from saferoom.node.retention.holdings import Holdings


def find_contract(core: Core, args: Plain) -> Contract:
    """The contract asked for. Raises UsageError if there is none, or more than one."""
    row = core.state.find_by_prefix(tables.contracts, argument(args, "contract"), "contract")
    return core.book.get(row["id"])


def find_job(core: Core, args: Plain) -> Plain:
    """The row of the job asked for. Raises UsageError if there is none, or more than one."""
    return core.state.find_by_prefix(tables.jobs, argument(args, "job"), "job")


def find_model(core: Core, args: Plain) -> tuple[Plain, Path]:
    """The job that made the model asked for, and the folder of what it left here.

    Raises UsageError if it left none, RefusedError if that is destroyed or is to be.
    """
    row = find_maker(core, args)
    folder = core.home.model(row["id"])
    holdings = Holdings(core)
    if row["state"] == "finished" and holdings.leaves_model(row):
        holdings.check_usable(row)
    if not (folder / "model.json").exists():
        raise UsageError("that job left no model here", remedy="see `saferoom model list`")
    return row, folder


def find_maker(core: Core, args: Plain) -> Plain:
    """The row of the job asked for as a model, whether there still is one or not. Raises UsageError."""
    return core.state.find_by_prefix(tables.jobs, argument(args, "model"), "model")
