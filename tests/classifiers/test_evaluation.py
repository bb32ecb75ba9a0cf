"""Metrics against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from classifiers.evaluation import (
    at_thresholds,
    auc,
    average_precision,
    best_threshold,
    brier,
    evaluate,
    expected_calibration_error,
    reliability,
    wilson,
)

P = [0.1, 0.4, 0.35, 0.8]
Y = [0, 0, 1, 1]


def test_auc_counts_the_pairs_in_order() -> None:
    # of the four pairs of a positive and a negative only (0.35, 0.4) is the wrong way round
    assert auc(P, Y) == pytest.approx(3 / 4)


def test_ties_count_half() -> None:
    assert auc([0.5, 0.5, 0.5], [0, 1, 0]) == pytest.approx(0.5)


def test_auc_is_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(0)
    p, y = rng.random(300).round(2), rng.integers(0, 2, 300)
    u = stats.mannwhitneyu(p[y == 1], p[y == 0]).statistic

    assert auc(p, y) == pytest.approx(u / ((y == 1).sum() * (y == 0).sum()))


def test_average_precision_by_hand() -> None:
    # in order of score: 0.8 hit (1/1), 0.4 miss, 0.35 hit (2/3)
    assert average_precision(P, Y) == pytest.approx((1 + 2 / 3) / 2)


def test_brier_by_hand() -> None:
    assert brier(P, Y) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)


def test_reliability_bins_by_hand() -> None:
    table = reliability([0.05, 0.15, 0.18, 1.0], [0, 0, 1, 1])

    assert [(b["low"], b["n"], b["share_violating"]) for b in table] == [(0.0, 1, 0.0), (0.1, 2, 0.5), (0.9, 1, 1.0)]
    assert table[1]["mean_probability"] == pytest.approx(0.165)
    assert table[1]["count"] == 2
    assert [table[1]["share_low"], table[1]["share_high"]] == pytest.approx([0.0945, 0.9055], abs=1e-4)


def test_ece_by_hand() -> None:
    found = expected_calibration_error([0.05, 0.15, 0.18, 1.0], [0, 0, 1, 1])

    assert found == pytest.approx(0.25 * 0.05 + 0.5 * abs(0.165 - 0.5))


def test_the_threshold_table_by_hand() -> None:
    row = at_thresholds(P, Y, thresholds=[0.4])[0]

    assert row == {
        "threshold": 0.4,
        "flagged": 0.5,
        "precision": 0.5,
        "precision_interval": pytest.approx([0.0945, 0.9055], abs=1e-4),
        "recall": 0.5,
        "recall_interval": pytest.approx([0.0945, 0.9055], abs=1e-4),
        "false_omission": 0.5,
        "false_discovery": 0.5,
        "n": 2,
    }


def test_rates_of_nothing_are_none() -> None:
    all_below, all_above = at_thresholds([0.5], [0], thresholds=[0.9, 0.1])

    assert (all_below["precision"], all_below["false_discovery"], all_below["false_omission"]) == (None, None, 0.0)
    assert (all_above["false_omission"], all_above["recall"]) == (None, None)


def test_weights_count_like_repetition() -> None:
    rng = np.random.default_rng(1)
    p, y, times = rng.random(50).round(1), rng.integers(0, 2, 50), rng.integers(1, 5, 50)

    weighed, repeated = evaluate(p, y, times), evaluate(np.repeat(p, times), np.repeat(y, times))

    for key in ("auc", "ap", "ece", "brier", "log_loss"):
        assert weighed[key] == pytest.approx(repeated[key])


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (250, 1000)])
def test_wilson_s_interval_is_the_published_one(hits: int, n: int) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")

    assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_label_that_stands_for_many_is_one_look() -> None:
    equal = at_thresholds([0.9] * 10, [1] * 5 + [0] * 5, thresholds=[0.5])[0]
    heavy = at_thresholds([0.9] * 10, [1] * 5 + [0] * 5, [1000, *[1] * 4, 1000, *[1] * 4], thresholds=[0.5])[0]

    assert (equal["precision"], heavy["precision"]) == (0.5, 0.5)
    assert equal["precision_interval"] is not None
    assert heavy["precision_interval"] is not None
    assert heavy["precision_interval"][0] < equal["precision_interval"][0]


def test_the_best_threshold_has_the_largest_f1_of_all() -> None:
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 200)
    p = np.clip(0.3 + 0.4 * y + rng.normal(0, 0.25, 200), 0, 1)

    def f1(threshold: float) -> float:
        hits = ((p >= threshold) & (y == 1)).sum()
        return float(2 * hits / ((p >= threshold).sum() + y.sum()))

    found = best_threshold(p, y)

    assert found is not None
    assert f1(found) == pytest.approx(max(map(f1, p)))
    assert best_threshold([0.2, 0.3], [0, 0]) is None


def test_one_class_cannot_be_ranked_but_is_measured() -> None:
    found = evaluate([0.2, 0.3], [0, 0])

    assert (found["auc"], found["ap"], found["positives"]) == (None, None, 0)
    assert found["brier"] == pytest.approx((0.04 + 0.09) / 2)


def test_no_labels_yield_no_figures() -> None:
    found = evaluate([], [])

    assert (found["auc"], found["ece"], found["brier"], found["n"]) == (None, None, None, 0)


@pytest.mark.parametrize(("p", "y"), [([0.1], [0, 1]), ([0.1], [2]), ([float("nan")], [1]), ([[0.1]], [[1]])])
def test_wrong_input_is_refused(p: object, y: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        evaluate(p, y)  # type: ignore[arg-type]
