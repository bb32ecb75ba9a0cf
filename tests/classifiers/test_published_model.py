"""A real published model, with the card it came with, on real photographs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from classifiers.base import Classifier, ImageInput
from classifiers.registry import load_card


def test_the_published_card_loads_as_it_is_and_tells_swimwear_from_animals(shared: Path) -> None:
    classifier = load_card(shared / "models" / "nsfw_mobilenet_v2.toml")
    assert isinstance(classifier, Classifier)
    assert (classifier.categories, classifier.embedding_size) == (("SEX_EXPLICIT", "NUDITY"), 1280)
    photos = shared / "data" / "photos"
    with (photos / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    swimwear = [row["file"] for row in rows if row["group"] == "swimwear_underwear"][:4]
    neutral = [row["file"] for row in rows if row["group"] == "neutral"][:8]

    scores = classifier.score([ImageInput(Image.open(photos / name).convert("RGB")) for name in swimwear + neutral])

    highest = np.array([max(score.values()) for score in scores])
    assert highest[:4].min() > 0.2
    assert np.median(highest[4:]) < 0.05
    assert all(0 <= value <= 1 for score in scores for value in score.values())


def test_a_batch_scores_as_its_pictures_one_by_one(shared: Path) -> None:
    classifier = load_card(shared / "models" / "nsfw_mobilenet_v2.toml")
    paths = sorted((shared / "data" / "photos").glob("*.jpg"))[:3]
    images = [ImageInput(Image.open(path).convert("RGB")) for path in paths]

    together = classifier.run(images)

    for i, image in enumerate(images):
        np.testing.assert_allclose(classifier.run([image]).probabilities[0], together.probabilities[i], atol=1e-5)
