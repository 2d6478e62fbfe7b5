"""Real credit data: the joint model is the pooled one. Coefficients within 0.01, test AUC within 0.001."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saferoom.models.logistic import train as logistic
from saferoom.models.logistic.plain import fit_plain
from saferoom.models.logistic.train import LogisticSettings
from tests.logistic_room import load_real, play_logistic

pytestmark = pytest.mark.shared_data


@pytest.mark.parametrize(
    ("name", "auc"),
    [
        ("breast", 0.9950),
        ("uci_default", 0.7225),
        ("bank_marketing", 0.9094),
        ("gmsc", 0.8476),
        pytest.param("polish1", 0.8993, marks=pytest.mark.slow),
    ],
)
def test_joint_is_pooled(shared_data_dir, monkeypatch, name, auc):
    monkeypatch.setattr(logistic, "agree_seed", lambda session: bytes(32))  # the subset is the same each time
    data = load_real(shared_data_dir / name)
    train = [block[data.train] for block in data.blocks]
    test = [block[~data.train] for block in data.blocks]
    joint = play_logistic(train, data.labels[data.train], test)
    twin = fit_plain(np.hstack(train), data.labels[data.train], LogisticSettings())
    assert np.abs(joint.coefficients - twin.coefficients).max() < 0.01
    assert abs(joint.intercept - twin.intercept) < 0.02
    held_out = data.labels[~data.train]
    reached = roc_auc_score(held_out, joint.logits.test)
    assert abs(reached - roc_auc_score(held_out, twin.logits(np.hstack(test)))) < 0.001
    assert abs(reached - auc) < 0.002
