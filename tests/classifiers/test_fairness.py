"""Fairness figures against values worked out by hand, and against Fairlearn on random predictions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.evaluations.samples import Samples
from classifiers.fairness import GAPS, Attribute, Report, report, theil

SIDE = "candidate"

# Forty labels, written out: (group, label, flagged) -> how many.
FIXTURE = {
    ("a", 1, 1): 8,
    ("a", 1, 0): 2,
    ("a", 0, 1): 3,
    ("a", 0, 0): 7,
    ("b", 1, 1): 5,
    ("b", 1, 0): 5,
    ("b", 0, 1): 1,
    ("b", 0, 0): 9,
}


def laid(table: dict[tuple[str, int, int], int], *, block: float | None = None) -> Report:
    rows = [key for key, count in table.items() for _ in range(count)]
    names = np.array([group for group, _y, _f in rows])
    label = np.array([float(y) for _g, y, _f in rows])
    p = np.array([0.8 if flagged else 0.2 for _g, _y, flagged in rows])
    groups = {"language": {name: names == name for name in sorted(set(names))}}
    samples = Samples(label, np.ones(len(rows)), np.arange(len(rows)), {SIDE: p}, groups)
    return report(samples, SIDE, cut=0.5, block=block, replicates=100)


def attribute(found: Report) -> Attribute:
    (one,) = found["attributes"]
    return one


def rates(found: Report, group: str) -> dict[str, Any]:
    one = next(g for g in attribute(found)["groups"] if g["value"] == group)
    return {name: rate["value"] for name, rate in one["rates"].items()} | dict(one)


def test_rates_by_hand() -> None:
    a, b = (rates(laid(FIXTURE), name) for name in "ab")

    assert (a["n"], a["positives"], a["selection_rate"]) == (20, 10, 11 / 20)
    assert (a["tpr"], a["fnr"], a["fpr"]) == (0.8, 0.2, 0.3)
    assert (a["fdr"], a["for"]) == pytest.approx((3 / 11, 2 / 9))
    assert (b["selection_rate"], b["tpr"], b["fpr"]) == (6 / 20, 0.5, 0.1)
    assert (b["fdr"], b["for"]) == pytest.approx((1 / 6, 5 / 14))


def test_gaps_by_hand() -> None:
    gaps = {name: gap["value"] for name, gap in attribute(laid(FIXTURE))["gaps"].items()}

    assert gaps == pytest.approx(
        {
            "statistical_parity": 11 / 20 - 6 / 20,
            "disparate_impact": 6 / 11,
            "equal_opportunity": 0.8 - 0.5,
            "average_odds": ((0.8 - 0.5) + (0.3 - 0.1)) / 2,
        }
    )


def test_gaps_have_intervals_around_them() -> None:
    for gap in attribute(laid(FIXTURE))["gaps"].values():
        assert gap["low"] is not None
        assert gap["value"] is not None
        assert gap["high"] is not None
        assert gap["low"] < gap["value"] < gap["high"]


def test_a_ratio_outside_four_fifths_is_flagged() -> None:
    a, b = (rates(laid(FIXTURE), name) for name in "ab")
    assert (a["ratio"], b["ratio"]) == pytest.approx((11 / 6, 6 / 11))
    assert (a["flagged"], b["flagged"]) == (True, True)

    even = {**FIXTURE, ("b", 1, 1): 8, ("b", 1, 0): 2, ("b", 0, 1): 2, ("b", 0, 0): 8}
    assert [one["flagged"] for one in attribute(laid(even))["groups"]] == [False, False]  # 11/10


def test_theil_by_hand() -> None:
    # benefits: 29 right ones 1, 7 missed ones 2, 4 wrongly flagged ones 0; mean (29 + 14) / 40
    middle = 43 / 40
    expected = (29 * (1 / middle) * math.log(1 / middle) + 7 * (2 / middle) * math.log(2 / middle)) / 40

    assert laid(FIXTURE)["theil"] == pytest.approx(expected)
    assert theil(np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.ones(2)) == pytest.approx(0)
    assert theil(np.array([1.0]), np.array([0.0]), np.ones(1)) is None  # nobody benefits


def test_theil_between_by_hand() -> None:
    means = [(15 + 2 * 2) / 20, (14 + 2 * 5) / 20]  # right + twice the missed
    middle = sum(means) / 2
    expected = sum(m / middle * math.log(m / middle) for m in means) / 2

    assert attribute(laid(FIXTURE))["theil_between"] == pytest.approx(expected)


def test_the_overturn_rate_is_of_what_machines_settle() -> None:
    # below 0.5 approved: 23 of which 7 violate; from 0.7 blocked: 17 of which 4 are harmless
    assert laid(FIXTURE)["overall"]["overturn_rate"]["value"] == pytest.approx(7 / 23)
    assert laid(FIXTURE, block=0.7)["overall"]["overturn_rate"]["value"] == pytest.approx(11 / 40)


def test_small_groups_are_named_and_not_measured() -> None:
    found = attribute(laid({**FIXTURE, ("c", 1, 0): 5}))

    assert found["few"] == ["c"]
    assert [one["value"] for one in found["groups"]] == ["a", "b"]
    assert found["gaps"]["equal_opportunity"]["value"] == pytest.approx(0.3)


def test_the_worst_subgroup_is_that_which_surely_errs_most() -> None:
    worst = {one["rate"]: (one["value"], one["found"]["value"]) for one in laid(FIXTURE)["worst"]}

    assert worst == {"fnr": ("b", 0.5), "fpr": ("a", 0.3)}


def test_intersections_show_what_neither_attribute_does() -> None:
    """Each attribute alone is even; where both meet, all errors are."""
    n = 160
    left, right = np.arange(n) % 2 == 0, np.arange(n) // 2 % 2 == 0
    label = (np.arange(n) // 4 % 2).astype(float)
    missed = (left == right) & (label == 1)
    p = np.where(missed, 0.1, np.where(label == 1, 0.9, 0.1))
    groups = {"language": {"de": left, "fr": ~left}, "style": {"photo": right, "drawing": ~right}}
    found = report(Samples(label, np.ones(n), np.arange(n), {SIDE: p}, groups), SIDE, cut=0.5, replicates=20)

    assert [one["gaps"]["equal_opportunity"]["value"] for one in found["attributes"]] == [0, 0]
    (crossed,) = found["intersections"]
    assert crossed["by"] == "language × style"
    assert crossed["gaps"]["equal_opportunity"]["value"] == 1
    assert next(one["value"] for one in found["worst"] if one["rate"] == "fnr") in {"de × photo", "fr × drawing"}


def test_without_two_groups_there_is_no_gap() -> None:
    only = {key: count for key, count in FIXTURE.items() if key[0] == "a"}

    assert {gap["value"] for gap in attribute(laid(only))["gaps"].values()} == {None}


@given(seed=st.integers(0, 10_000), groups=st.integers(2, 5), weighted=st.booleans())
@settings(max_examples=25, deadline=None)
def test_it_says_what_fairlearn_says(seed: int, groups: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 60 * groups
    names = np.repeat([f"g{k}" for k in range(groups)], 60)
    y, p = rng.integers(0, 2, n), rng.random(n)
    w = rng.choice([1.0, 2.5, 8.0], n) if weighted else np.ones(n)
    flagged = (p >= 0.5).astype(int)
    samples = Samples(y.astype(float), w, np.arange(n), {SIDE: p}, {"g": {k: names == k for k in sorted(set(names))}})

    found = attribute(report(samples, SIDE, cut=0.5, replicates=2))

    common = {"sensitive_features": names, "sample_weight": w}
    expected = {
        "statistical_parity": fairlearn.demographic_parity_difference(y, flagged, **common),
        "disparate_impact": fairlearn.demographic_parity_ratio(y, flagged, **common),
        "equal_opportunity": fairlearn.equal_opportunity_difference(y, flagged, **common),
        "average_odds": fairlearn.equalized_odds_difference(y, flagged, agg="mean", **common),
    }
    assert {name: found["gaps"][name]["value"] for name in GAPS} == pytest.approx(expected)
    frame = fairlearn.MetricFrame(
        metrics={
            "selection_rate": fairlearn.selection_rate,
            "tpr": fairlearn.true_positive_rate,
            "fpr": fairlearn.false_positive_rate,
            "fnr": fairlearn.false_negative_rate,
        },
        y_true=y,
        y_pred=flagged,
        sensitive_features=names,
        sample_params={name: {"sample_weight": w} for name in ("selection_rate", "tpr", "fpr", "fnr")},
    )
    for group in found["groups"]:
        theirs = frame.by_group.loc[group["value"]]
        ours = {name: group["rates"][name]["value"] for name in ("selection_rate", "tpr", "fpr", "fnr")}
        assert ours == pytest.approx(theirs.to_dict())
