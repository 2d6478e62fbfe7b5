"""The plain, insecure twin of joint logistic regression: scikit-learn on pooled columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from saferoom.arrays import F64
from saferoom.errors import VerificationError
from saferoom.models.logistic.plan import LogisticSettings


@dataclass(frozen=True, slots=True, eq=False)
class PlainLogistic:
    """coefficients (d,) of the pooled columns, intercept."""

    coefficients: F64
    intercept: float

    def logits(self, features: F64) -> F64:
        """(n, d) -> (n,)."""
        return np.asarray(features @ self.coefficients + self.intercept)


def fit_plain(features: F64, labels: F64, settings: LogisticSettings) -> PlainLogistic:
    """The optimum of Σ log loss + l2/2·|w|², the intercept free.

    features (n, d), labels (n,) of 0 and 1. Raises VerificationError if the labels are of one class.
    """
    if not 0 < labels.sum() < len(labels):
        raise VerificationError("all training labels are of one class", remedy="choose rows that hold both")
    strength = 1.0 / settings.l2 if settings.l2 > 0 else np.inf
    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-9, max_iter=1000)
    model.fit(features, labels)
    return PlainLogistic(model.coef_[0].copy(), float(model.intercept_[0]))
