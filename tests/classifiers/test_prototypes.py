"""A handful of examples as a head: what it finds, on what it is measured, where it is silent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.base import TextImageBackbone
from classifiers.calibration import Calibration
from classifiers.heads import Heads, Stack
from classifiers.prototypes import SETS, Measured, Prototypes, above, settle, unit

SIZE = 32


def around(centre: int, n: int, *, spread: float = 0.25, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit(np.eye(SIZE)[centre] + rng.normal(0, spread, (n, SIZE)))


def anywhere(n: int, seed: int = 1) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(0.3, 1, (n, SIZE)))


def test_pictures_like_the_examples_stand_above_all_others() -> None:
    found = Prototypes(around(3, 6, spread=0.1), np.zeros((0, SIZE)), anywhere(200))

    assert found.logits(around(3, 50, spread=0.1, seed=7)).min() > found.logits(anywhere(500, seed=8)).max()


def test_counter_examples_push_their_likes_down() -> None:
    alike = around(5, 50, seed=9)
    without = Prototypes(around(3, 6), np.zeros((0, SIZE)), anywhere(200)).logits(alike)
    with_ = Prototypes(around(3, 6), around(5, 6), anywhere(200)).logits(alike)

    assert (with_ < without).all()


def test_the_head_is_the_difference_of_the_squared_distances() -> None:
    prototypes = Prototypes(around(3, 6), around(5, 4), anywhere(100))
    toward = prototypes.examples.mean(axis=0)
    away = (prototypes.background.mean(axis=0) + prototypes.counters.mean(axis=0)) / 2
    pictures = anywhere(20, seed=4)

    expected = (((pictures - away) ** 2).sum(axis=1) - ((pictures - toward) ** 2).sum(axis=1)) / 2
    assert prototypes.logits(pictures) == pytest.approx(expected, abs=1e-6)


def test_an_example_is_judged_by_the_others_only_and_not_by_its_copies() -> None:
    odd = around(9, 1, seed=2)
    examples = np.concatenate([around(3, 6), odd, odd])
    prototypes = Prototypes(examples, np.zeros((0, SIZE)), anywhere(200))

    left_out = prototypes.left_out([*"abcdef", "copies", "copies"])

    assert left_out[:6].min() > left_out[6:].max() + 0.2
    assert left_out[6] < prototypes.logits(odd)[0] - 0.1


def pool(positives: int = 30, negatives: int = 300) -> Measured:
    rng = np.random.default_rng(3)
    label = np.repeat([1.0, 0.0], [positives, negatives])
    return Measured(
        rng.normal(0, 0.3, len(label)) + label,
        label,
        np.ones(len(label)),
        np.repeat(["example", "presumed"], [positives, negatives]),
        np.array([f"group-{i // 2}" for i in range(len(label))]),
    )


def test_curve_threshold_and_figures_come_from_three_sets_without_a_common_copy() -> None:
    sets = pool().dealt()

    groups = [set(sets[name].group) for name in SETS]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 165
    assert sum(len(sets[name].logits) for name in SETS) == 330
    assert [int(sets[name].label.sum()) for name in SETS] == [10, 10, 10]


def test_a_concept_is_measured_with_intervals_and_by_origin() -> None:
    settled = settle(pool(), floor=0.0)

    assert settled is not None
    picked = settled.metrics["picked"]
    assert picked["precision"] > 0.7
    assert picked["recall_interval"][0] < picked["recall"] <= 1.0
    assert [(row["source"], row["label"], row["n"]) for row in settled.metrics["sources"]] == [
        ("example", 1, 10),
        ("presumed", 0, 100),
    ]
    assert picked["threshold"] == settled.threshold


def test_the_threshold_never_lies_below_the_floor() -> None:
    settled = settle(pool(), floor=0.97)

    assert settled is not None
    assert settled.threshold == pytest.approx(0.97, abs=0.03)
    assert settled.threshold >= 0.97


def test_what_cannot_be_measured_is_not_settled() -> None:
    assert settle(pool(positives=2), floor=0.0) is None


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 20), st.floats(-15, 15), st.floats(0.01, 0.99), st.floats(-80, 80))
def test_below_its_threshold_a_concept_is_silent_and_above_it_keeps_its_curve(
    scale: float, shift: float, threshold: float, logit: float
) -> None:
    curve = Calibration(scale, shift, "platt")
    p, said = float(curve.apply(logit)), float(above(curve, threshold).apply(logit))

    if p < threshold - 0.02:
        assert said == 0.0
    elif p > threshold + 0.02:
        assert said == pytest.approx(p, abs=0.05)
        assert said >= threshold


def test_normalised_heads_read_directions_alone_and_among_others() -> None:
    rng = np.random.default_rng(0)
    weight, embeddings = rng.normal(size=(1, 8)).astype(np.float32), rng.normal(size=(5, 8)).astype(np.float16)
    cosine = Heads(("HATE",), weight, np.zeros(1, np.float32), (Calibration(),), normalised=True)
    plain = Heads(("HATE",), weight, np.zeros(1, np.float32), (Calibration(),))

    np.testing.assert_array_equal(cosine.apply(embeddings * np.float16(2)), cosine.apply(embeddings))
    assert (plain.apply(embeddings * np.float16(2)) != plain.apply(embeddings)).any()
    together = Stack((cosine, plain)).apply(embeddings)
    np.testing.assert_array_equal(together[0], cosine.apply(embeddings))
    np.testing.assert_array_equal(together[1], plain.apply(embeddings))
    assert cosine.apply(np.zeros((1, 8), np.float32)) == 0.5


def test_a_backbone_that_knows_words_is_told_by_its_method() -> None:
    class Words:
        def embed_texts(self, texts: object) -> np.ndarray:
            return np.zeros((1, 4), np.float32)

    assert isinstance(Words(), TextImageBackbone)
    assert not isinstance(object(), TextImageBackbone)
