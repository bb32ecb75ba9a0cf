"""The demo's classifier is made on the spot, and learns from people what its hasty first labels got wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers import cards, demo_eyes
from classifiers.backbones.headed import HeadedClassifier
from classifiers.base import ImageInput
from classifiers.demo_eyes import Schooling
from classifiers.demo_eyes.patches import PATCH, SIDE, album, patches, whole
from classifiers.registry import load_card
from classifiers.scenes import CATEGORIES, THINGS, draw

BRIEF = Schooling(patch_scenes=96, patch_steps=12, whole_scenes=48, whole_steps=4, lessons=160, workers=1)


def ignore(_done: float) -> None:
    pass


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[float]]:
    """A classifier after so little schooling that only its form can be judged."""
    told: list[float] = []
    backbone, heads = demo_eyes.build(tmp_path_factory.mktemp("eyes"), seed=1, progress=told.append, schooling=BRIEF)
    return backbone, heads, told


def test_building_yields_cards_that_load_and_score_every_category(built: tuple[Path, Path, list[float]]) -> None:
    classifier = load_card(built[1])

    assert isinstance(classifier, HeadedClassifier)
    assert classifier.categories == tuple(sorted(CATEGORIES))
    scores = classifier.score([ImageInput(draw(seed, size=200).image) for seed in range(3)])
    assert len(scores) == 3
    assert all(0 <= value <= 1 for score in scores for value in score.values())


def test_the_backbone_takes_any_number_of_pictures(built: tuple[Path, Path, list[float]]) -> None:
    backbone = load_card(built[0])
    images = [ImageInput(draw(seed, size=SIDE).image) for seed in range(5)]

    together = backbone.run(images).embeddings

    assert together is not None
    assert together.shape == (5, backbone.embedding_size)
    alone = backbone.run(images[3:4]).embeddings
    assert alone is not None
    np.testing.assert_allclose(alone[0], together[3], atol=1e-4)


def test_the_cards_say_what_was_taught_and_how_good_it_is(built: tuple[Path, Path, list[float]]) -> None:
    card = cards.read(built[1])

    assert card.backbone == cards.read(built[0]).reference == "demo-eyes@1"
    assert "drawn scenes" in str(card.table["trained_on"])
    assert set(card.metrics) == set(CATEGORIES)
    assert len(str(card.table["manifest_fingerprint"])) == 64


def test_progress_runs_from_start_to_end(built: tuple[Path, Path, list[float]]) -> None:
    told = built[2]

    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 15


def test_patches_are_the_same_however_many_draw_them() -> None:
    alone, together = (patches(130, seed=3, workers=workers, progress=ignore) for workers in (1, 2))

    np.testing.assert_array_equal(alone.pixels, together.pixels)
    np.testing.assert_array_equal(alone.things, together.things)
    assert alone.pixels.shape[1:] == (PATCH, PATCH, 3)
    assert alone.things.shape[1] == len(THINGS)
    assert 0.5 < (alone.things.sum(axis=1) > 0).mean() < 1.0


def test_whole_scenes_hold_none_one_or_two_forbidden_things() -> None:
    lessons = whole(30, seed=5, workers=1, progress=ignore)

    offending = lessons.things[:, [thing.category is not None for thing in THINGS]].sum(axis=1)
    assert set(offending.tolist()) == {0, 1, 2}
    assert lessons.pixels.shape == (30, SIDE, SIDE, 3)


def test_the_hasty_eye_adds_look_alikes_and_misses_nothing() -> None:
    lessons = album(200, seed=9, hardness=(0.0, 0.4))

    assert all(labels <= hasty for labels, hasty in zip(lessons.labels, lessons.hasty, strict=True))
    mistaken = sum(labels != hasty for labels, hasty in zip(lessons.labels, lessons.hasty, strict=True))
    assert 0.03 < mistaken / 200 < 0.4
