"""Whitening: own block the identity, and samples neither overstate nor understate a direction by much."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import UsageError
from saferoom.models.logistic.whitening import LEAST_SHARE, MOST_CURVATURE, fit_whitening

ROWS, SAMPLE = 20_000, 4_000


def columns_with_rare(in_sample: int, rare: int = 100):
    """Standard normal columns and a rare category, of whose rows so many stand in the first SAMPLE rows."""
    rng = np.random.default_rng(7)
    category = np.zeros(ROWS)
    category[:in_sample] = 1
    category[SAMPLE : SAMPLE + rare - in_sample] = 1
    return np.column_stack([rng.normal(size=(ROWS, 5)), category])


def block_curvature(white, features):
    turned = white.apply(features)[:, : white.turn.shape[1]]
    return turned.T @ turned / (4 * len(turned))


def test_own_block_and_penalty_add_up_to_the_identity():
    features = columns_with_rare(20)
    white = fit_whitening(features, 1.0, intercept=False)
    assert np.allclose(block_curvature(white, features) + white.penalty, np.eye(6), atol=1e-9)
    assert np.array_equal(white.ridge(SAMPLE), white.penalty)


@pytest.mark.parametrize("in_sample", [0, 3, 20, 100])
def test_a_sample_shows_every_direction(in_sample):
    features = columns_with_rare(in_sample)
    white = fit_whitening(features, 1.0, intercept=False, samples=[features[:SAMPLE]])
    shown = block_curvature(white, features[:SAMPLE]) + white.ridge(SAMPLE)
    everything = block_curvature(white, features)
    assert np.linalg.eigvalsh(shown - LEAST_SHARE * everything)[0] > -1e-3
    assert (
        np.linalg.eigvalsh(shown)[-1] <= MOST_CURVATURE + 0.01
    )  # means of all rows and of the sample differ


def test_lifts_leave_the_constant_column_alone():
    features = columns_with_rare(0)
    white = fit_whitening(features, 1.0, intercept=True, samples=[features[:SAMPLE]])
    ridge = white.ridge(SAMPLE)
    assert ridge.shape == (7, 7)
    assert not ridge[-1].any()
    assert ridge[:-1, :-1].any()


def test_no_columns_but_the_constant_one():
    white = fit_whitening(np.zeros((50, 0)), 1.0, intercept=True, samples=[np.zeros((20, 0))])
    assert white.ridge(20).shape == (1, 1)


def test_features_must_be_finite():
    with pytest.raises(UsageError):
        fit_whitening(np.array([[1.0], [np.nan]]), 1.0, intercept=False)
