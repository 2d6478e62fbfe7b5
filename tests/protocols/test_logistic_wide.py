"""Joint logistic regression on many columns: one inverse, accelerated passes; against the plain twin."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.errors import ProtocolError
from saferoom.models.logistic import plan as logistic_plan
from saferoom.models.logistic.plain import fit_plain
from saferoom.models.logistic.plan import LogisticSettings, make_plan
from tests.logistic_room import play_logistic
from tests.numeric_room import HELPER
from tests.uniformity import looks_uniform


def correlated(rows, widths, repeated, *, seed=0, shift=-1.0, strength=1.5):
    """Standardised columns, half of their variance from ten factors.

    The first columns of the first party are held by the second as well. Gives blocks and labels.
    """
    rng = np.random.default_rng(seed)
    columns = sum(widths)
    x = rng.normal(size=(rows, columns)) / np.sqrt(2)
    x += rng.normal(size=(rows, 10)) @ rng.normal(size=(10, columns)) / np.sqrt(20)
    x[:, widths[0] : widths[0] + repeated] = x[:, :repeated]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    z = x @ rng.normal(size=columns)
    z = strength * z / z.std() + shift
    labels = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(float)
    return np.split(x, np.cumsum(widths)[:-1], axis=1), labels


def assert_like_twin(joint, blocks, labels, within=0.005, settings=None):
    twin = fit_plain(np.hstack(blocks), labels, settings or LogisticSettings())
    assert np.abs(joint.coefficients - twin.coefficients).max() < within
    assert abs(joint.intercept - twin.intercept) < within
    assert np.abs(joint.logits.train - twin.logits(np.hstack(blocks))).max() < 0.03


@pytest.fixture
def few_are_many(monkeypatch):
    """Four columns count as many."""
    monkeypatch.setattr(logistic_plan, "MANY_COLUMNS", 3)


def test_many_columns_some_held_by_two_parties():
    blocks, labels = correlated(1500, [60, 70, 60], repeated=5)
    assert make_plan(1500, 191, LogisticSettings()).wide
    assert_like_twin(play_logistic(blocks, labels), blocks, labels, within=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [3_000, 20_000])
def test_six_hundred_columns(rows):
    blocks, labels = correlated(rows, [200, 200, 200], repeated=10)
    assert_like_twin(play_logistic(blocks, labels), blocks, labels)


@pytest.mark.parametrize("widths", [[3, 4], [4, 2, 3, 2]], ids=["2", "4"])
@pytest.mark.parametrize("l2", [0.1, 1.0, 50.0])
def test_few_rows(few_are_many, widths, l2):
    blocks, labels = correlated(500, widths, repeated=1)
    settings = LogisticSettings(l2=l2)
    assert_like_twin(play_logistic(blocks, labels, settings=settings), blocks, labels, settings=settings)


def test_a_label_holder_without_features(few_are_many):
    blocks, labels = correlated(400, [3, 4], repeated=1)
    blocks = [np.zeros((400, 0)), *blocks]
    assert_like_twin(play_logistic(blocks, labels), blocks, labels)


def test_fewer_rows_than_columns():
    blocks, labels = correlated(120, [100, 80], repeated=3)
    assert_like_twin(play_logistic(blocks, labels), blocks, labels, within=0.01)


def test_rare_events_that_are_nearly_separable():
    blocks, labels = correlated(2000, [90, 90], repeated=3, shift=-4.5)
    assert labels.mean() < 0.05
    joint, twin = play_logistic(blocks, labels), fit_plain(np.hstack(blocks), labels, LogisticSettings())
    assert np.abs(joint.coefficients - twin.coefficients).max() < 0.01
    assert abs(joint.intercept - twin.intercept) < 0.05  # about -8.4


def test_a_subset_gives_the_inverse(few_are_many):
    blocks, labels = correlated(15_000, [4, 5], repeated=1)
    plan = make_plan(15_000, 10, LogisticSettings())
    assert plan.parted
    assert plan.stages[0].acceleration.weight > 0.25
    assert_like_twin(play_logistic(blocks, labels), blocks, labels)


def test_the_largest_reach_with_many_rows(few_are_many):
    blocks, labels = correlated(12_000, [3, 3], repeated=0)
    settings = LogisticSettings(logit_range=32)
    joint = play_logistic(blocks, labels, settings=settings)
    assert_like_twin(joint, blocks, labels, settings=settings)


def test_32_bit_words(few_are_many):
    blocks, labels = correlated(60_000, [4, 5, 4], repeated=0)
    tests, _ = correlated(1_000, [4, 5, 4], repeated=0, seed=1)
    assert make_plan(60_000, 14, LogisticSettings()).scales.word_bits == 32
    joint = play_logistic(blocks, labels, tests)
    assert_like_twin(joint, blocks, labels)
    own = np.hstack(tests) @ joint.coefficients + joint.intercept
    assert np.abs(own - joint.logits.test).max() < 0.02


def test_rounds(few_are_many):
    """docs/protocols/logistic.md: seven rounds a pass, about 30 for the inverse, about 20 for the checks."""
    blocks, labels = correlated(300, [3, 3, 2], repeated=0)
    joint = play_logistic(blocks, labels)
    passes = make_plan(300, 9, LogisticSettings()).passes
    rounds = max(meter.rounds for meter in joint.played.meters.values())
    assert 6 * passes < rounds < 7 * passes + 60


def test_too_few_passes_are_noticed(few_are_many, monkeypatch):
    monkeypatch.setattr(logistic_plan, "_effort", lambda rows, columns: (2, 0.1, 1))
    blocks, labels = correlated(2000, [6, 6], repeated=0, shift=-4.0, strength=8.0)
    with pytest.raises(ProtocolError, match="have not converged"):
        play_logistic(blocks, labels, settings=LogisticSettings(logit_range=32))


def test_what_travels_is_uniform_and_every_mask_is_spent_once(few_are_many):
    blocks, labels = correlated(1000, [5, 5], repeated=1)
    steps, opened = Counter(), defaultdict(dict)
    for sender, receiver, message in play_logistic(blocks, labels).played.messages:
        step, tensors = decode(message)
        steps[sender, receiver, step] += not step.endswith("/pace")
        if step.split("/")[-1] in {"turns", "rows", "open", "factor"} and sender != HELPER:
            opened[step][sender] = tensors[0]
    assert max(steps.values()) == 1
    assert sum("/ahead/" in step for step in opened) == 140
    for phase in ("/ahead/", "/gradient/"):
        values = [sum(parts.values()) for step, parts in opened.items() if phase in step]
        assert looks_uniform(np.concatenate([np.ravel(some) for some in values]))
