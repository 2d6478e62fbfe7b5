"""Checkpoints end like everything a job left, and as soon as nobody needs to resume from them."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit.evidence.lifecycle import kept_until, lifecycle
from saferoom.contracts.signatures import sign_decision
from saferoom.errors import StorageError
from saferoom.node import state as tables
from saferoom.node.retention.destroy_orders import DestroyOrders, give_order
from tests.unit.node.test_destroyer import CANARY, DAY, Keeper, bank, clock, holding

__all__ = ["bank", "clock"]  # fixtures


def leave(keeper: Keeper, state: str = "failed", **params: Any) -> str:
    """A job that ended as `state` and left a checkpoint; its id."""
    job = keeper.keep(**params)
    shutil.rmtree(keeper.core.home.model(job))
    # Jobs of one test are told apart by when they were made.
    created = keeper.clock.now.timestamp() + len(keeper.core.state.rows(tables.jobs)) / 1e3
    keeper.core.state.update(tables.jobs, job, state=state, summary=None, created=created)
    folder = keeper.core.home.checkpoint(job)
    folder.mkdir(parents=True)
    for name in ("head", "tree-00000"):
        (folder / name).write_text(CANARY * 10, encoding="utf-8")
    return job


def is_kept(keeper: Keeper, job: str) -> bool:
    folder = keeper.core.home.checkpoint(job)
    assert not folder.exists() or len(list(folder.iterdir())) == 2, "whole or not at all"
    return folder.exists()


def assert_gone(keeper: Keeper, job: str, type_: str = "retention.destroyed") -> None:
    keeper.assert_gone(job, type_)
    assert not is_kept(keeper, job)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_retention_ends_to_the_day(bank: Keeper, state: str) -> None:
    job = leave(bank, state)
    bank.clock.now += 10 * DAY - timedelta(seconds=1)
    bank.destroyer.sweep()
    assert is_kept(bank, job) and bank.events(job) == []
    bank.clock.now += timedelta(seconds=1)
    bank.destroyer.sweep()
    assert_gone(bank, job)
    assert holding(bank.core.home.root, CANARY) == []
    begun, gone = (e for e in bank.nodes.events("bank") if e.get("session", {}).get("id") == job)
    assert begun["deletion"]["scope"] == "2 files and the results in the job's row"
    assert gone["reason"] == "10 days of retention are over"


def test_staging_goes_at_once_and_the_checkpoint_stays(bank: Keeper) -> None:
    job = leave(bank)
    bank.core.home.job(job).mkdir(parents=True)
    (bank.core.home.job(job) / "model.json").write_text(CANARY, encoding="utf-8")
    bank.destroyer.discard(job, bank.contract.id)
    bank.destroyer.sweep()
    assert not bank.core.home.job(job).exists() and is_kept(bank, job)
    bank.clock.now += 10 * DAY
    bank.destroyer.sweep()
    assert_gone(bank, job)
    assert [type_ for type_, _ in bank.events(job)] == [
        "destruction.begun",
        "staging.destroyed",
        "destruction.begun",
        "retention.destroyed",
    ]


def test_a_revoked_contract(bank: Keeper) -> None:
    job = leave(bank)
    said = sign_decision(bank.nodes.cores["tax"].keys.signing, bank.contract, "tax", "revoke", "no more")
    bank.core.book.decide(bank.contract.id, "tax", "revoke", said.reason, said.signature)
    bank.destroyer.sweep()
    assert_gone(bank, job)


def test_a_party_s_order_takes_along_what_went_on_from_it(bank: Keeper) -> None:
    first = leave(bank)
    heir, model, other = leave(bank, resume=first), bank.keep(resume=first), leave(bank)
    give_order(bank.core, bank.destroyer, bank.row(first), "a wrong label", "officer")
    for job in (first, heir, model):
        assert_gone(bank, job, "model.destroyed")
    assert is_kept(bank, other)


def test_an_order_is_obeyed_though_staging_was_destroyed_before(bank: Keeper) -> None:
    job = leave(bank)
    tax = Keeper(bank.nodes, bank.contract, bank.clock, "tax")
    tax.core.state.put(tables.jobs, **bank.row(job))
    for name in ("job", "checkpoint"):
        folder = getattr(tax.core.home, name)(job)
        folder.mkdir(parents=True)
        (folder / "head").write_text(CANARY, encoding="utf-8")
    tax.destroyer.discard(job, bank.contract.id)
    give_order(bank.core, bank.destroyer, bank.row(job), "over", "officer")
    known = DestroyOrders(bank.core, bank.destroyer).known()
    (message,) = [message for message in known if message.destroy.job_id == job]
    DestroyOrders(tax.core, tax.destroyer).obey(message.destroy)
    tax.assert_gone(job, "model.destroyed")
    assert not tax.core.home.checkpoint(job).exists()


def test_what_a_dying_process_writes_after_an_order_goes_too(bank: Keeper) -> None:
    job = leave(bank)
    give_order(bank.core, bank.destroyer, bank.row(job), "over", "officer")
    before = bank.destroyer.holdings.destruction(job)
    for write in (late_tree, late_staging):
        write(bank, job)
        bank.destroyer.sweep()
        assert_gone(bank, job, "model.destroyed")
    after = bank.destroyer.holdings.destruction(job)
    assert before and after and before["signature"] == after["signature"], "the order is still passed on"


def late_tree(keeper: Keeper, job: str) -> None:
    keeper.core.home.checkpoint(job).mkdir(parents=True)
    (keeper.core.home.checkpoint(job) / "tree-00001").write_text(CANARY, encoding="utf-8")


def late_staging(keeper: Keeper, job: str) -> None:
    keeper.core.home.job(job).mkdir(parents=True)
    (keeper.core.home.job(job) / "model.json").write_text(CANARY, encoding="utf-8")


# Nobody needs it any more ----------------------------------------------------------------------------


def test_the_checkpoint_of_a_job_that_finished_goes_without_a_word(bank: Keeper) -> None:
    """While a job runs its checkpoint is staged like all it writes; that it was kept was never said."""
    job = bank.keep()
    late_tree(bank, job)
    bank.destroyer.outgrown(bank.row(job))
    assert not bank.core.home.checkpoint(job).exists()
    bank.assert_kept(job)


def test_what_could_not_go_then_goes_with_the_next_sweep(bank: Keeper) -> None:
    job = bank.keep()
    late_tree(bank, job)
    bank.running = [job]
    bank.destroyer.sweep()
    assert bank.core.home.checkpoint(job).exists(), "its process may still read it"
    bank.running = []
    bank.destroyer.sweep()
    assert not bank.core.home.checkpoint(job).exists()
    bank.assert_kept(job)


def test_a_finished_heir_ends_the_checkpoints_that_led_to_it(bank: Keeper) -> None:
    first = leave(bank)
    second = leave(bank, resume=first)
    sibling, other = leave(bank, resume=first), leave(bank)
    bank.destroyer.sweep()
    assert all(is_kept(bank, job) for job in (first, second, sibling, other))
    model = bank.keep(resume=second)
    bank.destroyer.outgrown(bank.row(model))
    assert_gone(bank, first)
    assert_gone(bank, second)
    assert is_kept(bank, other) and is_kept(bank, sibling)
    bank.assert_kept(model)
    events = bank.nodes.events("bank")
    reasons = {e["reason"] for e in events if e.get("session", {}).get("id") in (first, second)}
    assert reasons == {f"job {model} resumed it and has finished"}


def test_the_job_ends_all_the_same_where_nothing_can_be_logged(
    bank: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = leave(bank)
    model = bank.keep(resume=first)

    def full(*_args: Any, **_more: Any) -> None:
        raise StorageError("the audit log cannot be written", step="log")

    with monkeypatch.context() as patch:
        patch.setattr(bank.core, "record", full)
        bank.destroyer.outgrown(bank.row(model))
    assert is_kept(bank, first)
    bank.anew().sweep(at_start=True)
    assert_gone(bank, first)


def test_a_checkpoint_of_a_job_nobody_knows(bank: Keeper) -> None:
    unknown = "cd" * 16
    folder: Path = bank.core.home.checkpoint(unknown)
    folder.mkdir(parents=True)
    (folder / "head").write_text(CANARY, encoding="utf-8")
    bank.destroyer.sweep()
    assert not folder.exists()
    assert bank.events(unknown) == [("destruction.begun", "allowed"), ("retention.destroyed", "allowed")]


def test_the_life_cycle_shows_what_is_held(bank: Keeper) -> None:
    job = leave(bank)
    until = bank.destroyer.holdings.due(bank.row(job))
    bank.core.record("job.checkpointed", contract=bank.contract, job=job, reason=kept_until(until))
    assert states(bank, job) == ["held"]
    bank.clock.now += 10 * DAY
    assert states(bank, job) == ["held"], "to the second"
    bank.clock.now += DAY
    assert states(bank, job) == ["overdue"]
    bank.destroyer.sweep()
    assert states(bank, job) == ["destroyed"]


def states(keeper: Keeper, job: str) -> list[str]:
    found = lifecycle(keeper.contract.id, keeper.core.log.entries(), now=keeper.clock.now).holdings
    return [holding.state for holding in found if holding.job == job]
