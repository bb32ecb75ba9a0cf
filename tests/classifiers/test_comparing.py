"""Two versions on the same labels: figures as `evaluation` has them, intervals that cover, differences that pair."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.evaluation import at_thresholds, auc, average_precision, brier, expected_calibration_error
from classifiers.evaluations.comparing import CANDIDATE, INCUMBENT, compare, verdict
from classifiers.evaluations.curves import curves
from classifiers.evaluations.figures import Figures
from classifiers.evaluations.resampling import interval, resampled
from classifiers.evaluations.samples import Floats, Samples, coded, looks
from classifiers.evaluations.slicing import slices


def drawn(n: int, *, seed: int = 0, gain: float = 0.3, share: float = 0.4) -> Samples:
    """Two noisy scores of one truth; the candidate's is `gain` clearer."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(float)
    base = rng.normal(0, 1, n)
    old, new = (1 / (1 + np.exp(-(base + (2 * y - 1) * lift))) for lift in (0.6, 0.6 + gain))
    return Samples(y, rng.choice([1.0, 4.0], n), np.arange(n), {CANDIDATE: new, INCUMBENT: old})


def test_each_figure_is_that_of_the_plain_measure() -> None:
    s = drawn(300)
    p = np.round(s.scores[CANDIDATE], 2)  # ties

    found = {name: float(value[0]) for name, value in Figures(p, s.label, {"cut": 0.6}).of(s.weight[None]).items()}

    (at,) = at_thresholds(p, s.label, s.weight, thresholds=[0.6])
    assert found["auc"] == pytest.approx(auc(p, s.label, s.weight))
    assert found["ap"] == pytest.approx(average_precision(p, s.label, s.weight))
    assert found["brier"] == pytest.approx(brier(p, s.label, s.weight))
    assert found["ece"] == pytest.approx(expected_calibration_error(p, s.label, s.weight))
    assert found["cut.precision"] == pytest.approx(at["precision"])
    assert found["cut.recall"] == pytest.approx(at["recall"])
    assert found["cut.false_omission"] == pytest.approx(at["false_omission"])
    assert found["cut.flagged"] == pytest.approx(at["flagged"])


def test_a_resample_s_figures_are_those_of_the_labels_it_drew() -> None:
    s = drawn(60)
    measure = Figures(s.scores[CANDIDATE], s.label)

    for w in resampled(s, replicates=5, seed=1):
        aucs = measure.of(w)["auc"]
        assert aucs == pytest.approx([auc(s.scores[CANDIDATE], s.label, one) for one in w])


def test_near_duplicates_are_drawn_together() -> None:
    s = drawn(40)
    pairs = Samples(s.label, np.ones(40), np.arange(40) // 2, s.scores)

    for w in resampled(pairs, replicates=20, seed=3):
        assert (w[:, ::2] == w[:, 1::2]).all()
        assert w.sum(axis=1) == pytest.approx(40)


def test_the_same_seed_gives_the_same_intervals() -> None:
    s = drawn(120)

    assert compare(s, replicates=50) == compare(s, replicates=50)
    assert compare(s, replicates=50) != compare(s, replicates=50, seed=5)


def test_copies_widen_what_a_naive_interval_would_narrow() -> None:
    s = drawn(80)
    ten = np.repeat(np.arange(80), 10)
    copied = Samples(s.label[ten], s.weight[ten], s.cluster[ten], {k: p[ten] for k, p in s.scores.items()})
    alone = Samples(copied.label, copied.weight, np.arange(800), copied.scores)

    def width(samples: Samples, name: str) -> float:
        one = compare(samples, cuts={"cut": 0.5}, replicates=200)["sides"][CANDIDATE][name]
        assert one["high"] is not None
        assert one["low"] is not None
        return one["high"] - one["low"]

    for name in ("auc", "cut.recall"):
        assert width(copied, name) == pytest.approx(width(s, name), rel=0.2)
        assert width(alone, name) < 0.5 * width(copied, name)


def test_intervals_of_the_difference_cover_the_truth() -> None:
    big = drawn(200_000, seed=99)
    truth = float(auc(big.scores[CANDIDATE], big.label) or 0) - float(auc(big.scores[INCUMBENT], big.label) or 0)
    held = 0
    for seed in range(150):
        s = drawn(250, seed=seed)
        even = Samples(s.label, np.ones(250), s.cluster, s.scores)
        one = compare(even, replicates=200, seed=seed)["differences"]["auc"]
        assert one["low"] is not None
        assert one["high"] is not None
        held += one["low"] <= truth <= one["high"]

    assert held / 150 >= 0.90  # 95 % nominal; at 150 runs two standard errors are 3.6 points


def test_a_paired_difference_is_told_apart_where_two_intervals_overlap() -> None:
    s = drawn(400, gain=0.15)
    found = compare(s, replicates=200)
    new, old = (found["sides"][side]["auc"] for side in (CANDIDATE, INCUMBENT))

    assert (new["low"] or 0) < (old["high"] or 0)
    assert found["differences"]["auc"]["verdict"] == "better"


def test_few_labels_get_no_interval() -> None:
    found = compare(drawn(8))

    assert found["sides"][CANDIDATE]["auc"]["value"] is not None
    assert found["sides"][CANDIDATE]["auc"]["low"] is None
    assert found["differences"]["auc"]["verdict"] == "open"


def test_one_class_alone_cannot_be_ranked() -> None:
    s = drawn(50)
    found = compare(Samples(np.zeros(50), s.weight, s.cluster, s.scores), cuts={"cut": 0.5}, replicates=20)

    assert found["sides"][CANDIDATE]["auc"] == {"value": None, "low": None, "high": None}
    assert found["sides"][CANDIDATE]["cut.recall"]["value"] is None
    assert found["sides"][CANDIDATE]["brier"]["value"] is not None


@pytest.mark.parametrize(
    ("name", "low", "high", "said"),
    [
        ("auc", 0.01, 0.02, "better"),
        ("auc", -0.02, -0.01, "worse"),
        ("log_loss", -0.02, -0.01, "better"),
        ("approve.false_positive_rate", 0.1, 0.2, "worse"),
        ("approve.flagged", 0.1, 0.2, "more"),
        ("auc", -0.01, 0.01, "open"),
        ("auc", 0.0, 0.0, "same"),
        ("auc", None, None, "open"),
    ],
)
def test_a_verdict_knows_which_way_is_good(name: str, low: float | None, high: float | None, said: str) -> None:
    assert verdict(name, 0.0 if low is None else low, low, high) == said


def test_slices_are_measured_where_there_are_enough_labels() -> None:
    s = drawn(100)
    masks = {"big": np.arange(100) < 70, "small": np.arange(100) >= 90}
    found = slices(Samples(s.label, s.weight, s.cluster, s.scores, {"language": masks}), cuts={})

    assert [(one["value"], one["n"], one["compared"] is None) for one in found] == [
        ("big", 70, False),
        ("small", 10, True),
    ]


def test_curves_go_from_corner_to_corner_and_hold_the_area() -> None:
    s = drawn(2000)
    found = curves(s.scores[CANDIDATE], s.label, s.weight)
    x, y = np.array(found["roc"]).T

    assert (found["roc"][0], found["roc"][-1]) == ([0.0, 0.0], [1.0, 1.0])
    assert len(found["roc"]) <= 101
    assert np.trapezoid(y, x) == pytest.approx(auc(s.scores[CANDIDATE], s.label, s.weight), abs=0.003)
    assert sum(found["scores"]["harmful"]) == pytest.approx(1)


def test_looks_count_clusters_by_weight() -> None:
    def worth(weight: list[float], cluster: list[int]) -> float:
        return looks(np.array(weight), np.array(cluster))

    assert worth([1, 1, 1, 1], [0, 1, 2, 3]) == pytest.approx(4)
    assert worth([1, 1, 1, 1], [0, 0, 1, 1]) == pytest.approx(2)
    assert worth([3, 1], [0, 1]) == pytest.approx(16 / 10)  # by hand: (3 + 1)² / (9 + 1)
    assert worth([], []) == 0


def test_intervals_need_most_resamples_to_say_something() -> None:
    values: Floats = np.array([np.nan] * 20 + [0.5] * 80)

    assert interval(values) == (None, None)
    assert interval(np.linspace(0, 1, 201)) == pytest.approx((0.025, 0.975))


def test_clusters_are_coded_alike() -> None:
    assert coded(np.array(["b", "a", "b"], dtype=object)).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "broken",
    [
        {"label": np.array([0.0, 2.0])},
        {"weight": np.array([1.0, 0.0])},
        {"cluster": np.array([1])},
        {"scores": {CANDIDATE: np.array([0.1, np.nan])}},
    ],
)
def test_what_does_not_fit_is_refused(broken: dict[str, object]) -> None:
    good: dict[str, object] = {
        "label": np.array([0.0, 1.0]),
        "weight": np.ones(2),
        "cluster": np.arange(2),
        "scores": {CANDIDATE: np.array([0.1, 0.9])},
    }

    with pytest.raises(ValueError, match=r"must be as many|are 0 or 1|finite"):
        Samples(**{**good, **broken})  # type: ignore[arg-type]
