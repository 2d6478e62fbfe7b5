"""The plaintext twins of joint models: fitted on all parties' rows in one place, which only a lab has."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from saferoom.arrays import F64
from saferoom.kinds.boosting import BoostingParams
from saferoom.models.boosting.gradients import probabilities
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.tasks.base import Pooled
from saferoom.tasks.steps.binning import bin_plainly
from saferoom.tasks.steps.selection import MOST_ROUNDS

TIGHT, MANY = 1e-8, 10_000


def tree_settings(params: BoostingParams, *, weighted: bool) -> BoostingSettings:
    """The public settings of the trees, from the contract's task."""
    names = {field.name for field in fields(BoostingSettings)} - {"weighted"}
    return BoostingSettings(**{name: getattr(params, name) for name in names}, weighted=weighted)


def regression_twin(pooled: Pooled) -> tuple[F64, dict[str, Any]]:
    """By scikit-learn, on the same prepared columns.

    `max_coef_diff`: the largest difference of a coefficient, in standardised units.
    """
    from sklearn.linear_model import LogisticRegression  # only a lab needs it here

    models = pooled.models
    x = np.hstack([models[party].preparation.transform(pooled.tables[party]) for party in models])
    l2 = float(pooled.params.l2)
    fit = LogisticRegression(C=1 / l2 if l2 > 0 else np.inf, tol=TIGHT, max_iter=MANY)
    twin = fit.fit(x[pooled.is_train], pooled.y[pooled.is_train])
    intercept = sum(model.intercept or 0.0 for model in models.values())
    joint = np.append(np.concatenate([model.coefficients for model in models.values()]), intercept)
    plain = np.append(twin.coef_[0], twin.intercept_)
    return twin.predict_proba(x)[:, 1], {"max_coef_diff": float(np.max(np.abs(joint - plain)))}


def scorecard_twin(pooled: Pooled) -> tuple[F64, dict[str, Any]]:
    """As `regression_twin`, on the joint scorecard's own bins; that twin cannot see what binning lost.

    `without_minimums`: how good a scorecard is whose bins may be as small as one row, from all labels in the
    clear.
    """
    pd, facts = regression_twin(pooled)
    return pd, {**facts, "without_minimums": _without_minimums(pooled)}


def _without_minimums(pooled: Pooled) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression  # only a lab needs these here

    from saferoom.models.metrics import metrics_summary

    train, y = pooled.is_train, pooled.y
    parts = []
    for party, table in pooled.whole.items():
        found = bin_plainly(table.take(train), y[train], pooled.params, pooled.specials[party])
        parts.append(found.transform(table))
    x, l2 = np.hstack(parts), float(pooled.params.l2)
    for _ in range(1 + MOST_ROUNDS):
        fit = LogisticRegression(C=1 / l2 if l2 > 0 else np.inf, tol=TIGHT, max_iter=MANY)
        fit.fit(x[train], y[train])
        wrong = fit.coef_[0] > 0
        if not pooled.params.drop_wrong_signs or not wrong.any() or wrong.all():
            break
        x = x[:, ~wrong]
    pd = fit.predict_proba(x)[:, 1]
    return {name: metrics_summary(y[rows], pd[rows]) for name, rows in (("train", train), ("test", ~train))}


def tree_twin(pooled: Pooled) -> tuple[F64, dict[str, Any]]:
    """By the plain twin of joint trees, on the same bins.

    `trees`, `equal_trees`, and `max_pd_diff` of training rows, whose scores the label holder knows (they have
    six digits); those of held-out rows are rounded before they are released.
    """
    models, tables, holder = pooled.models, pooled.tables, pooled.label_holder
    features = {p: models[p].preparation.features(tables[p].take(pooled.is_train)) for p in sorted(models)}
    weights = tables[holder].weight
    weights = None if weights is None else weights[pooled.is_train]
    settings = tree_settings(pooled.params, weighted=weights is not None)
    y = pooled.y[pooled.is_train].astype(np.float64)
    twin = fit_boosting_plain(features, y, holder, settings, weights)
    pd = probabilities(twin.margins({p: models[p].preparation.features(tables[p]) for p in features}))
    joint = models[holder].trees.trees
    equal = [
        dict(plain.weights) == dict(tree.weights)
        and {n: (p, models[p].trees.trees[place].splits[n]) for n, p in tree.owners.items()} == plain.splits
        for place, (tree, plain) in enumerate(zip(joint, twin.trees, strict=False))
    ]
    return pd, {
        "trees": len(twin.trees),
        "equal_trees": sum(equal),
        **(
            {}
            if pooled.pd is None
            else {"max_pd_diff": float(np.max(np.abs(pd - pooled.pd)[pooled.is_train]))}
        ),
    }
