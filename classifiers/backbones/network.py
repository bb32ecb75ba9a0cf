"""What a forward pass yields, read as a card says: classes, categories, calibrated probabilities."""

from collections.abc import Mapping

import numpy as np

from classifiers.base import CardError, FloatArray
from classifiers.cards import Card, OutputSpec
from classifiers.heads import sigmoid

_TINY = 1e-6
_NAN = 0.5
"""A network that yields NaN knows nothing: doubt goes to a person, so it must land in the middle, never at 0."""


def probabilities(card: Card, arrays: Mapping[str, FloatArray], *, count: int) -> FloatArray:
    """[N, K] in the order of the card's categories from the network's named outputs [N, classes]."""
    classes: dict[str, FloatArray] = {}
    for output in card.outputs:
        raw = arrays[output.name].reshape(count, -1)
        if raw.shape[1] != len(output.classes):
            raise CardError(
                f"output {output.name!r} has {raw.shape[1]} classes, the card lists {len(output.classes)}: mend it"
            )
        values = _activated(raw, output)
        classes |= {name: values[:, i] for i, name in enumerate(output.classes)}
    columns = []
    for category in card.categories:
        found = np.broadcast_to(category.expression(classes), (count,))
        probability = np.clip(np.nan_to_num(found, nan=_NAN), 0.0, 1.0)
        if category.calibration.method != "none":
            inner = np.clip(probability.astype(np.float64), _TINY, 1 - _TINY)
            probability = category.calibration.apply(np.log(inner / (1 - inner))).astype(np.float32)
        columns.append(probability)
    if not columns:
        return np.empty((count, 0), dtype=np.float32)
    return np.stack(columns, axis=1).astype(np.float32)


def _activated(values: FloatArray, output: OutputSpec) -> FloatArray:
    if output.activation == "sigmoid":
        return sigmoid(values).astype(np.float32)
    if output.activation == "softmax":
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
    return values
