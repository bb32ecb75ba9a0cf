"""Which curve is chosen from logits to probabilities, and that isotonic ones are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers import cards
from classifiers.base import CardError
from classifiers.calibration import Calibration, CalibrationError, calibrate, choose, log_loss, sigmoid
from classifiers.heads import Heads
from classifiers.isotonic import isotonic
from classifiers.weights import file_sha256


def drawn(n: int, probability: np.ndarray, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(n) < probability).astype(float)


def steps(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose truth is a staircase, which no sigmoid can follow."""
    z = np.random.default_rng(1).uniform(-4, 4, n)
    return z, drawn(n, np.select([z < -2, z < 2], [0.02, 0.5], 0.98))


def test_a_staircase_is_followed_by_isotonic_regression() -> None:
    choice = choose(*steps(6000))

    assert choice.calibration.method == "isotonic"
    assert set(choice.held_out) == {"temperature", "platt", "isotonic"}
    assert choice.calibration.apply([-3.0, 0.0, 3.0]) == pytest.approx([0.02, 0.5, 0.98], abs=0.04)


def test_few_labels_never_choose_isotonic_regression() -> None:
    assert set(choose(*steps(900)).held_out) == {"temperature", "platt"}


def test_many_labels_of_one_class_and_few_of_the_other_never_choose_isotonic_regression() -> None:
    z = np.random.default_rng(0).normal(-6, 1, 5000)

    choice = choose(z, drawn(5000, sigmoid(z + 1)))

    assert 10 <= choice.positives < 100
    assert "isotonic" not in choice.held_out


@pytest.mark.parametrize(("scale", "shift", "winner"), [(0.4, -1.5, "platt"), (0.3, 0.0, "temperature")])
def test_a_sigmoid_is_followed_by_the_simplest_curve_that_fits(scale: float, shift: float, winner: str) -> None:
    z = np.random.default_rng(3).normal(0, 3, 8000)

    choice = choose(z, drawn(8000, sigmoid(scale * z + shift)))

    assert choice.calibration.method == winner
    assert choice.calibration.scale == pytest.approx(scale, abs=0.03)


def test_the_winner_is_the_one_with_the_least_loss_on_labels_it_has_not_seen() -> None:
    choice = choose(*steps(3000))

    assert choice.held_out[choice.calibration.method] == min(choice.held_out.values())
    assert choice.held_out["isotonic"] < choice.held_out["platt"] - 0.01


def test_copies_of_one_picture_in_one_fold_do_not_lend_isotonic_regression_false_confidence() -> None:
    """Noise copied twenty times looks like knowledge to who has seen its copies."""
    rng = np.random.default_rng(0)
    once = rng.normal(size=200)
    z, y = np.repeat(once, 20), np.repeat(drawn(200, sigmoid(once)), 20)

    apart = choose(z, y, folds=np.repeat(np.arange(200) % 5, 20))
    torn = choose(z, y)

    assert torn.calibration.method == "isotonic"
    assert apart.calibration.method != "isotonic"


def test_pools_by_hand() -> None:
    found = isotonic(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4))

    assert found == ((1.0, 0.0), (2.5, 0.5), (4.0, 1.0))


def test_equal_logits_share_a_knot() -> None:
    assert isotonic(np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]), np.ones(3)) == ((1.0, 0.5), (2.0, 1.0))


labelled = st.lists(st.tuples(st.integers(-8, 8), st.integers(0, 1), st.floats(0.1, 9)), min_size=1, max_size=25)


@settings(max_examples=100, deadline=None)
@given(labelled)
def test_no_rising_step_curve_has_a_smaller_squared_error(rows: list[tuple[int, int, float]]) -> None:
    """Against the max-min formula of isotonic regression, at the pools' own places."""
    z, y, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    places = np.unique(z)
    mean = {
        (a, b): np.average(y[(z >= a) & (z <= b)], weights=w[(z >= a) & (z <= b)])
        for a in places
        for b in places
        if a <= b
    }
    exact = [max(min(mean[a, b] for b in places if b >= x) for a in places if a <= x) for x in places]

    levels = [p for _place, p in isotonic(z, y, w)]

    assert levels == pytest.approx(sorted(set(np.round(exact, 9))), abs=1e-6)


def test_an_isotonic_curve_never_falls_and_never_claims_certainty() -> None:
    found = calibrate(*steps(2000), method="isotonic")

    p = found.apply(np.linspace(-100, 100, 5001))
    assert (np.diff(p) >= 0).all()
    assert 0 < p.min() < p.max() < 1


def test_an_isotonic_curve_can_be_the_start_of_the_next_calibration() -> None:
    first = calibrate(*steps(3000), method="isotonic")
    z, y = steps(20)

    again = calibrate(z, y, prior=first, prior_weight=1000.0)

    assert again.scale == pytest.approx(first.scale, abs=0.1)
    assert again.shift == pytest.approx(first.shift, abs=0.1)


def test_log_loss_by_hand() -> None:
    found = log_loss(np.array([0.8, 0.4]), np.array([1.0, 0.0]), np.array([1.0, 3.0]))

    assert found == pytest.approx(-(np.log(0.8) + 3 * np.log(0.6)) / 4)


def test_knots_that_fall_are_refused() -> None:
    for knots in (((0.0, 0.5), (1.0, 0.4)), ((1.0, 0.1), (1.0, 0.4)), ((0.0, 0.1), (1.0, 1.4))):
        with pytest.raises(CalibrationError, match="must rise"):
            Calibration(knots=knots)


def test_heads_keep_their_isotonic_curve_in_weights_and_card(tmp_path: Path) -> None:
    curve = calibrate(*steps(2000), method="isotonic")
    heads = Heads(
        ("HATE", "PRIVACY"),
        np.eye(2, dtype=np.float32),
        np.zeros(2, np.float32),
        (curve, Calibration(2.0, 1.0, "platt")),
    )
    heads.save(tmp_path / "h.safetensors")
    again = Heads.load(tmp_path / "h.safetensors")
    embeddings = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)

    assert again.calibrations == heads.calibrations
    np.testing.assert_array_equal(again.apply(embeddings), heads.apply(embeddings))
    np.testing.assert_allclose(heads.apply(embeddings)[:, 0], curve.apply(embeddings[:, 0]), atol=1e-6)

    table = {
        "name": "h",
        "version": "1",
        "kind": "heads",
        "backbone": "eyes@1",
        "licence": "none",
        "weights": "h.safetensors",
        "sha256": file_sha256(tmp_path / "h.safetensors"),
        "calibration": cards.describe_calibrations(heads.categories, heads.calibrations),
    }
    card = cards.read(cards.dump(table, tmp_path / "h.toml"))
    assert card.calibrations["HATE"] == curve
    table["calibration"]["parameters"]["HATE"]["knots"][3][1] = 0.0  # type: ignore[index]
    with pytest.raises(CardError, match="must rise"):
        cards.read(cards.dump(table, tmp_path / "bent.toml"))
