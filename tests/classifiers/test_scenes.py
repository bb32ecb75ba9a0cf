"""Drawn scenes: the same seed draws the same picture, and all kinds come up."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from classifiers.scenes import CATEGORIES, THINGS, draw


def test_a_seed_draws_the_same_pixels_again() -> None:
    a, b = draw(5, size=96), draw(5, size=96)

    assert a.image.tobytes() == b.image.tobytes()
    assert (a.prompt, a.labels, a.sights) == (b.prompt, b.labels, b.sights)


def test_seeds_draw_different_pictures() -> None:
    assert draw(5, size=96).image.tobytes() != draw(6, size=96).image.tobytes()


def test_the_size_changes_pixels_only() -> None:
    small, large = draw(8, size=64), draw(8, size=300)

    assert (small.prompt, small.labels, small.sights) == (large.prompt, large.labels, large.sights)
    assert (small.image.size, large.image.size) == ((64, 64), (300, 300))


def test_every_category_and_most_things_come_up_and_most_scenes_are_harmless() -> None:
    scenes = [draw(seed, size=32) for seed in range(300)]

    labels = Counter(label for scene in scenes for label in scene.labels)
    assert set(labels) == set(CATEGORIES)
    assert 0.55 < sum(not scene.labels for scene in scenes) / 300 < 0.75
    seen = {sight.name for scene in scenes for sight in scene.sights}
    assert len(seen) > 0.9 * len(THINGS)
    assert len({scene.prompt for scene in scenes}) > 250


def test_hard_scenes_show_things_smaller_than_plain_ones() -> None:
    plain, hard = (
        np.mean([sight.radius for seed in range(80) for sight in draw(seed, size=32, hardness=h).sights])
        for h in (0.0, 1.0)
    )

    assert hard < 0.7 * plain


def test_difficulty_grows_with_hardness_and_stays_within_bounds() -> None:
    def mean(hardness: float) -> float:
        found = [scene.difficulty for seed in range(80) if (scene := draw(seed, size=32, hardness=hardness)).labels]
        assert all(0 <= value <= 1 for value in found)
        return float(np.mean(found))

    assert mean(0.0) < mean(0.5) < mean(1.0)


def test_the_number_of_forbidden_things_can_be_given() -> None:
    assert all(not draw(seed, size=32, offenders=0).labels for seed in range(20))
    assert all(draw(seed, size=32, offenders=2).labels for seed in range(20))


def test_hardness_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        draw(1, hardness=1.5)
