"""A provider without a helper fits through the same door: whole protocols and models, and no helper anywhere.

The oracle makes every correlation from what parties hand over, as a provider between the parties has to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.models import reasons
from saferoom.models.logistic import plan as logistic_plan
from saferoom.models.logistic import train as logistic
from saferoom.models.logistic.plain import fit_plain
from saferoom.models.logistic.plan import LogisticSettings, make_plan
from saferoom.models.scorecard import standard_errors, vif
from tests.leaf_room import EXACT, leaf_room
from tests.logistic_room import synthetic
from tests.numeric_room import Room
from tests.oracle import Oracle

SETTINGS = LogisticSettings()


@pytest.fixture(autouse=True)
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    """In the place of a helper's seed."""
    found = Oracle()
    for module in (logistic, reasons, standard_errors, vif):
        monkeypatch.setattr(module, "receive_seed", found.end)
    return found


def train(blocks: list[Any], labels: Any) -> Any:
    def party(session: Session, index: int) -> Any:
        own = labels if index == 0 else None
        trained = logistic.train_logistic(session, blocks[index], own, SETTINGS, label_holder="p0")
        local = logistic.release(session, trained)
        logistic.evaluate(session, trained, blocks[index][:20], EXACT)
        return local

    return Room(60).run(len(blocks), party, None)


@pytest.mark.parametrize("widths", [[3, 2], [2, 3, 2], [2, 1, 2, 2]], ids=["2", "3", "4"])
def test_a_regression(widths: list[int]) -> None:
    blocks, labels = synthetic(500, widths)
    played = train(blocks, labels)
    twin = fit_plain(np.hstack(blocks), labels, SETTINGS)
    assert np.concatenate([one.coefficients for one in played.results]) == pytest.approx(
        twin.coefficients, abs=0.005
    )
    assert "helper" not in {name for message in played.messages for name in message[:2]}


def test_a_regression_in_32_bit_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SMALL_ROWS": 500, "LARGE_ROWS": 1000, "LARGE_CELLS": 0}.items():
        monkeypatch.setattr(logistic_plan, name, value)
    blocks, labels = synthetic(20_000, [2, 3])
    assert make_plan(20_000, 6, SETTINGS).scales.word_bits == 32
    twin = fit_plain(np.hstack(blocks), labels, SETTINGS)
    found = np.concatenate([one.coefficients for one in train(blocks, labels).results])
    assert found == pytest.approx(twin.coefficients, abs=0.02)


def test_a_regression_of_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_plan, "MANY_COLUMNS", 3)
    blocks, labels = synthetic(400, [2, 3])
    twin = fit_plain(np.hstack(blocks), labels, SETTINGS)
    found = np.concatenate([one.coefficients for one in train(blocks, labels).results])
    assert found == pytest.approx(twin.coefficients, abs=0.005)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_sum_of_leaves(oracle: Oracle, k: int) -> None:
    room = leaf_room(k, 200, [8, 4, 7])
    played = Room().run(k, lambda s, index: room.party(s, oracle.end(s), index), None)
    assert np.array_equal(played.results[0], room.plain)


@pytest.mark.parametrize("k", [2, 3])
def test_reasons(k: int) -> None:
    costs = [np.array([[9 - 2 * place, 1]]) for place in range(k)]
    codes = [np.array([[10 * (place + 1), 10 * (place + 1) + 1]]) for place in range(k)]
    played = Room().run(k, lambda s, i: reasons.rank_reasons(s, costs[i], codes[i], "p0"), None)
    assert played.results[0].tolist() == [[10, 20]]


def test_factors_of_inflation_and_standard_errors() -> None:
    blocks, labels = synthetic(1000, [2, 2])
    blocks[1][:, 0] = blocks[0][:, 1] + 0.1 * np.random.default_rng(0).normal(size=1000)
    rate = float(labels.mean())

    def party(session: Session, index: int) -> Any:
        kept = vif.leave_out_collinear(session, blocks[index], label_holder="p0", most=5.0).stays
        p = np.full(1000, rate) if index == 0 else None
        errors = standard_errors.standard_errors(session, blocks[index][:, kept], p, rate, label_holder="p0")
        return kept.tolist(), errors

    results = Room(60).run(2, party, None).results
    assert sorted(sum(kept) for kept, _ in results) == [1, 2]
    errors = np.concatenate([found for _, found in results])
    assert errors == pytest.approx(1 / np.sqrt(1000 * rate * (1 - rate)), rel=0.2)
