"""The loss-threshold attack: blind where there is nothing to see, sharp where a version has learnt by heart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from classifiers.membership import attack, bound, losses


def test_losses_by_hand() -> None:
    assert losses([0.9, 0.2], [1, 0]) == pytest.approx([-np.log(0.9), -np.log(0.8)])
    assert np.isfinite(losses([0.0, 1.0], [1, 0])).all()


def test_the_auc_is_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(0)
    inside, outside = rng.exponential(1, 200).round(2), rng.exponential(1.5, 300).round(2)
    found = attack(inside, outside)

    assert found is not None
    u = stats.mannwhitneyu(outside, inside).statistic
    assert found["auc"] == pytest.approx(u / (200 * 300))


def test_who_learnt_nothing_by_heart_betrays_nothing() -> None:
    rng = np.random.default_rng(1)
    found = attack(rng.exponential(1, 2000), rng.exponential(1, 2000))

    assert found is not None
    assert found["auc_low"] < 0.5 < found["auc_high"]
    assert found["tpr_low"] <= 0.001 <= found["tpr_high"]
    assert found["resolved"]


def test_who_learnt_by_heart_is_found_out() -> None:
    """Random labels on more dimensions than pictures: whatever is right on the training set is memory."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(400, 300)), rng.integers(0, 2, 400)
    model = LogisticRegression(C=1e4, max_iter=500).fit(x[:200], y[:200])
    p = model.predict_proba(x)[:, 1]
    found = attack(losses(p[:200], y[:200]), losses(p[200:], y[200:]))

    assert found is not None
    assert found["auc_low"] > 0.7
    assert found["advantage"] > 0.4
    assert not found["resolved"]  # 200 others cannot tell 0.1 % from nothing


def test_the_rate_at_a_thousandth_by_hand() -> None:
    outside = np.arange(2000, dtype=float)  # two of these may be named: losses 0 and 1
    inside = np.array([-1.0, 0.5, 1.5, 1.9, 2.0, 5.0] * 10)
    found = attack(inside, outside)

    assert found is not None
    assert (found["tpr"], found["fpr"]) == (40 / 60, 2 / 2000)


def test_a_claim_that_an_attack_breaks_is_refuted() -> None:
    rng = np.random.default_rng(3)
    inside = np.concatenate([np.zeros(500), rng.exponential(1, 500)])  # half of the members stand out
    found = attack(inside, rng.exponential(1, 4000) + 0.01)

    assert found is not None
    assert bound(found, epsilon=1.0, delta=1e-5)["refuted"]
    assert not bound(found, epsilon=8.0, delta=1e-5)["refuted"]  # e^8 · 0.001 allows anything
    assert bound(found, epsilon=1.0, delta=1e-5)["allowed"] == pytest.approx(np.e * 0.001 + 1e-5)


def test_too_few_labels_say_nothing() -> None:
    assert attack(np.ones(29), np.ones(500)) is None


def test_the_same_losses_give_the_same_limits() -> None:
    rng = np.random.default_rng(4)
    inside, outside = rng.random(50), rng.random(50)

    assert attack(inside, outside) == attack(inside, outside)
