"""Heads and their calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from classifiers.base import CardError
from classifiers.calibration import METHODS
from classifiers.heads import Calibration, CalibrationError, Heads, Stack, calibrate, sigmoid


def sample(n: int, *, scale: float, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, n)
    return logits, (rng.random(n) < sigmoid(scale * logits + shift)).astype(float)


def test_platt_recovers_the_curve_that_made_the_labels() -> None:
    logits, labels = sample(20_000, scale=0.4, shift=-1.0)

    found = calibrate(logits, labels, method="platt")

    assert found.method == "platt"
    assert found.scale == pytest.approx(0.4, abs=0.02)
    assert found.shift == pytest.approx(-1.0, abs=0.05)


def test_platt_reaches_the_same_minimum_as_a_general_optimiser() -> None:
    logits, labels = sample(200, scale=0.7, shift=0.5)
    positives, negatives = labels.sum(), (1 - labels).sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(theta: np.ndarray) -> float:
        s = theta[0] * logits + theta[1]
        return float((np.logaddexp(0, s) - target * s).sum())

    best = minimize(loss, [1.0, 0.0], method="BFGS", options={"gtol": 1e-8})
    found = calibrate(logits, labels, method="platt")

    assert [found.scale, found.shift] == pytest.approx(best.x, abs=1e-4)


def test_temperature_moves_the_slope_only() -> None:
    logits, labels = sample(20_000, scale=0.5, shift=0.0)

    found = calibrate(logits, labels, method="temperature")

    assert found.shift == 0
    assert found.scale == pytest.approx(0.5, abs=0.02)


def test_separable_labels_keep_a_finite_slope_and_probabilities_inside() -> None:
    found = calibrate([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])

    probabilities = found.apply([-2.0, 2.0])
    assert np.isfinite(found.scale)
    assert 0 < probabilities[0] < 0.5 < probabilities[1] < 1


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_labels_of_one_class_move_the_level_only(labels: list[int]) -> None:
    found = calibrate([-1.0, 0.0, 1.0, 2.0], labels)

    assert (found.scale, found.method) == (1.0, "prior")
    assert (found.shift > 0) == (labels[0] == 1)


def test_no_labels_leave_the_prior_as_it_is() -> None:
    prior = Calibration(0.5, -2.0, "platt")

    assert calibrate([], [], prior=prior) == prior
    assert calibrate([], []) == Calibration()


def test_a_head_that_ranks_the_wrong_way_is_never_turned_round() -> None:
    logits = np.linspace(-3, 3, 50)

    found = calibrate(logits, (logits < 0).astype(float), method="platt")

    assert found == Calibration(1.0, 0.0, "prior")


def test_a_prior_outweighs_few_labels_and_yields_to_many() -> None:
    prior = Calibration(1.0, 0.0, "platt")
    few = calibrate(*sample(8, scale=0.3, shift=-2.0), prior=prior, prior_weight=100, method="platt")
    many = calibrate(*sample(20_000, scale=0.3, shift=-2.0), prior=prior, prior_weight=100, method="platt")

    assert few.shift == pytest.approx(0.0, abs=0.2)
    assert many.shift == pytest.approx(-2.0, abs=0.15)


def test_weights_count_like_repeated_labels() -> None:
    logits, labels = sample(60, scale=1.0, shift=0.0)
    times = np.random.default_rng(1).integers(1, 4, 60)

    weighed = calibrate(logits, labels, weights=times, method="platt")
    repeated = calibrate(np.repeat(logits, times), np.repeat(labels, times), method="platt")

    assert weighed.scale == pytest.approx(repeated.scale, abs=1e-6)
    assert weighed.shift == pytest.approx(repeated.shift, abs=1e-6)


@pytest.mark.parametrize(
    ("logits", "labels", "reason"),
    [
        ([float("nan"), 1.0], [0, 1], "finite"),
        ([float("inf"), 1.0], [0, 1], "finite"),
        ([0.0, 1.0], [0, 2], "0 or 1"),
        ([0.0, 1.0], [0, float("nan")], "0 or 1"),
        ([0.0], [0, 1], "as many"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(logits: list[float], labels: list[float], reason: str) -> None:
    with pytest.raises(CalibrationError, match=reason):
        calibrate(logits, labels)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(CalibrationError, match="use temperature, platt, isotonic"):
        calibrate([0.0, 1.0], [0, 1], method="by eye")


finite = st.floats(-1e6, 1e6)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(finite, st.integers(0, 1)), max_size=40),
    st.lists(finite, min_size=1, max_size=10),
    st.sampled_from(["", *METHODS]),
)
def test_probabilities_stay_in_0_1_and_keep_the_order_whatever_the_labels(
    pairs: list[tuple[float, int]], asked: list[float], method: str
) -> None:
    found = calibrate([z for z, _ in pairs], [y for _, y in pairs], method=method)

    probabilities = found.apply(sorted(asked))
    assert found.scale > 0
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(probabilities) >= 0).all()


def two_heads() -> Heads:
    rng = np.random.default_rng(0)
    calibrations = (Calibration(0.7, -1.0, "platt"), Calibration(2.0, 0.0, "temperature"))
    return Heads(
        ("PRIVACY", "HATE"), rng.normal(size=(2, 5)).astype(np.float32), np.array([0.5, -0.5], np.float32), calibrations
    )


def test_heads_survive_saving(tmp_path: Path) -> None:
    heads = two_heads()
    heads.save(tmp_path / "h.safetensors")

    again = Heads.load(tmp_path / "h.safetensors")

    assert (again.categories, again.calibrations) == (heads.categories, heads.calibrations)
    np.testing.assert_array_equal(again.weight, heads.weight)


def test_apply_is_the_calibrated_matrix_product() -> None:
    heads, embeddings = two_heads(), np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)

    found = heads.apply(embeddings)

    for k, calibration in enumerate(heads.calibrations):
        np.testing.assert_allclose(
            found[:, k], calibration.apply(embeddings @ heads.weight[k] + heads.bias[k]), atol=1e-6
        )


def test_many_versions_in_one_product_say_what_each_says_alone() -> None:
    rng = np.random.default_rng(2)
    many = [
        Heads(
            tuple(f"C{i}" for i in range(k)),
            rng.normal(0, 0.2, (k, 64)).astype(np.float32),
            rng.normal(size=k).astype(np.float32),
            tuple(Calibration(float(rng.uniform(0.5, 2)), -1.0, "platt") for _ in range(k)),
        )
        for k in (18, 1, 5)
    ]
    embeddings = rng.normal(size=(100, 64)).astype(np.float16)

    together = Stack(tuple(many)).apply(embeddings)

    for heads, table in zip(many, together, strict=True):
        np.testing.assert_array_equal(table, heads.apply(embeddings))
        np.testing.assert_array_equal(table[:1], heads.apply(embeddings[:1]))


def test_half_precision_embeddings_are_taken() -> None:
    assert two_heads().apply(np.ones((1, 5), np.float16)).dtype == np.float32


def test_embeddings_of_another_width_are_refused() -> None:
    with pytest.raises(CardError, match=r"expect embeddings \[N, 5\]"):
        two_heads().apply(np.ones((1, 4), np.float32))


def test_a_file_without_heads_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.safetensors"
    path.write_bytes(b"nothing of the sort")

    with pytest.raises(CardError, match="not a heads file"):
        Heads.load(path)


def test_two_heads_for_one_category_are_refused() -> None:
    with pytest.raises(CardError, match="keep one"):
        Heads(("HATE", "HATE"), np.ones((2, 3), np.float32), np.zeros(2, np.float32), (Calibration(),) * 2)
