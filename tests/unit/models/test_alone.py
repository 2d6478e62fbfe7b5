"""The label holder's own model: the stated minimum of the stated penalty, and none at all."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import VerificationError
from saferoom.models.alone import fit_alone
from saferoom.models.metrics import metrics_summary

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2000, 4))
Y = (RNG.random(2000) < 1 / (1 + np.exp(1 - X @ [1.0, -0.5, 0.2, 0.0]))).astype(float)


@pytest.mark.parametrize("l2", [0.0, 1.0, 300.0])
def test_the_gradient_of_the_stated_loss_vanishes(l2: float) -> None:
    fit = fit_alone(X, Y, X[:10], l2=l2)
    residual = fit.train_pd - Y
    assert np.abs(X.T @ residual + l2 * fit.coefficients).max() < 0.5
    assert abs(residual.sum()) < 0.5
    assert fit.test_pd == pytest.approx(1 / (1 + np.exp(-(X[:10] @ fit.coefficients + fit.intercept))))


def test_without_columns_everybody_gets_the_default_rate() -> None:
    fit = fit_alone(X[:, :0], Y, X[:7, :0], l2=1.0)
    assert np.all(fit.test_pd == Y.mean())
    assert len(fit.test_pd) == 7
    assert 1 / (1 + np.exp(-fit.intercept)) == pytest.approx(Y.mean())
    assert metrics_summary(Y, fit.train_pd)["auc"] == 0.5


def test_no_test_rows_and_one_class() -> None:
    assert len(fit_alone(X, Y, X[:0], l2=1.0).test_pd) == 0
    with pytest.raises(VerificationError, match="one class"):
        fit_alone(X, np.ones(2000), X, l2=1.0)
