"""Heads together with the backbone they were fitted on: a whole eye."""

from collections.abc import Sequence

import numpy as np

from classifiers.base import CardError, Classifier, FloatArray, ImageInput, Outputs, Score, scores
from classifiers.calibration import Calibration
from classifiers.cards import Card
from classifiers.heads import Heads


class HeadedClassifier:
    """Runs ``backbone`` and applies ``heads`` to its embeddings. ``apply`` serves embeddings that are stored
    already."""

    def __init__(self, card: Card, backbone: Classifier, heads: Heads) -> None:
        check_fit(card, heads, backbone.embedding_size)
        self.card, self.backbone, self.heads = card, backbone, heads
        self.name, self.version = card.name, card.version
        self.categories = heads.categories
        self.embedding_size = backbone.embedding_size

    def apply(self, embeddings: FloatArray) -> FloatArray:
        return self.heads.apply(embeddings)

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        outputs = self.backbone.run(images)
        assert outputs.embeddings is not None
        table = np.nan_to_num(self.heads.apply(outputs.embeddings), nan=0.5)
        return Outputs(table, outputs.embeddings, errors=outputs.errors)

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)


def check_fit(card: Card, heads: Heads, size: int | None) -> None:
    """CardError unless the heads want embeddings of ``size`` numbers, as their backbone yields them."""
    if size != heads.embedding_size:
        raise CardError(
            f"{card.reference} wants embeddings of {heads.embedding_size} numbers, {card.backbone} yields "
            f"{size}: name the backbone it was trained on"
        )


def read_heads(card: Card) -> Heads:
    """The heads of a card of kind ``heads``; CardError where card and weights disagree."""
    heads = Heads.load(card.weights)
    stated = card.calibrations
    if stated:
        if set(stated) != set(heads.categories):
            raise CardError(
                f"[calibration] is for {', '.join(sorted(stated))}, "
                f"the weights for {', '.join(sorted(heads.categories))}: mend the card"
            )
        for category, found in zip(heads.categories, heads.calibrations, strict=True):
            if not same_curve(found, stated[category]):
                raise CardError(
                    f"[calibration.parameters.{category}] differs from the weights: one of the two was edited"
                )
    return heads


def same_curve(a: Calibration, b: Calibration) -> bool:
    """Equal but for what a file of text may round."""
    if len(a.knots) != len(b.knots):
        return False
    numbers = [(a.scale, b.scale), (a.shift, b.shift)]
    numbers += [pair for one, other in zip(a.knots, b.knots, strict=True) for pair in zip(one, other, strict=True)]
    return all(abs(x - y) <= 1e-9 for x, y in numbers)
