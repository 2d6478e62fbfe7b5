"""What the label holder would reach alone: the yardstick for the gain of working together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import VerificationError

_MAX_ITERATIONS = 1000
_TOLERANCE = 1e-10
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class AloneFit:
    """Probabilities of default on the training and test rows; coefficients (d,) and intercept behind them."""

    train_pd: NDArray[np.float64]
    test_pd: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: float


def fit_alone(
    train: NDArray[np.float64], y_train: NDArray[np.float64], test: NDArray[np.float64], *, l2: float
) -> AloneFit:
    """Logistic regression on the label holder's own prepared columns, in the clear.

    Minimises Σ log loss + l2/2 · |w|², the intercept free: the penalty of the joint model. Without
    columns every row gets the default rate. Probabilities are rounded to ten places: rows whose scores are
    equal are ties for every metric, on every machine.

    Shapes:   train (n, d), test (m, d), d >= 0, no missing values; y_train (n,) of 0 and 1.
    Raises:   VerificationError if the training labels are of one class.
    """
    rate = float(np.mean(y_train))
    if rate in {0.0, 1.0}:
        raise VerificationError("all training labels are of one class", remedy="choose rows that hold both")
    if train.shape[1] == 0:
        intercept = float(np.log(rate / (1 - rate)))
        return AloneFit(np.full(len(train), rate), np.full(len(test), rate), np.empty(0), intercept)
    # Imported here: scikit-learn takes a second and 100 MB, and every job process knows the class above.
    from sklearn.linear_model import LogisticRegression

    penalty = 1 / l2 if l2 > 0 else np.inf
    regression = LogisticRegression(
        C=penalty, solver="newton-cholesky", tol=_TOLERANCE, max_iter=_MAX_ITERATIONS
    )
    fit = regression.fit(train, y_train)
    train_pd, test_pd = (
        np.round(fit.predict_proba(rows)[:, 1], _DIGITS) if len(rows) else np.empty(0)
        for rows in (train, test)
    )
    return AloneFit(train_pd, test_pd, fit.coef_[0].copy(), float(fit.intercept_[0]))
