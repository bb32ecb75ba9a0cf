"""Kinds of classifiers that other packages bring: entry points of the group ``loupe.classifiers``, named after the kind
they open."""

from importlib.metadata import entry_points
from typing import Any

import numpy as np
from PIL import Image

from classifiers.base import CardError, Classifier, ImageInput
from classifiers.cards import EXTERNAL, Card


def opener(kind: str) -> Any:
    """What opens cards of this kind, ``(card, cache=…) -> Classifier``; CardError where no installed package does."""
    found = list(entry_points(group=EXTERNAL, name=kind))
    if not found:
        raise CardError(f"kind {kind!r}: no installed package opens it (entry points of {EXTERNAL})")
    if len(found) > 1:
        owners = ", ".join(sorted(point.dist.name if point.dist else "?" for point in found))
        raise CardError(f"kind {kind!r} is brought by several packages ({owners}): uninstall all but one")
    try:
        return found[0].load()
    except Exception as error:  # another package's import may fail in any way
        raise CardError(
            f"kind {kind!r}: {found[0].value} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def check_external(classifier: Any, card: Card) -> None:
    """CardError unless it is a classifier, speaks of the card's categories and answers for two grey pictures with one
    row of probabilities each."""
    if not isinstance(classifier, Classifier):
        raise CardError(f"what opens kind {card.kind} yields no classifier: it lacks some of name … score")
    if tuple(classifier.categories) != card.codes:
        raise CardError(
            f"it scores {', '.join(classifier.categories) or 'nothing'}, the card lists {', '.join(card.codes)}"
        )
    try:
        outputs = classifier.run([ImageInput(Image.new("RGB", (64, 64), (127, 127, 127)))] * 2)
    except CardError:
        raise
    except Exception as error:  # as above
        raise CardError(f"it fails on a plain grey picture: {type(error).__name__}: {error}") from error
    table = np.asarray(outputs.probabilities)
    if table.shape != (2, len(card.codes)) or not ((table >= 0) & (table <= 1)).all():
        raise CardError(f"for two grey pictures it yields {list(table.shape)}, not [2, {len(card.codes)}] within 0–1")
