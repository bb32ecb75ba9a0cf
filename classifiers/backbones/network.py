"""What a forward pass yields, read as a card says: classes, categories, calibrated probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from classifiers.base import CardError, Classifier, FloatArray, ImageInput, Outputs
from classifiers.cards import Card
from classifiers.heads import sigmoid
from classifiers.shapes import OutputSpec

_TINY = 1e-6
_NAN = 0.5
"""What stands in the table for a picture that is an error anyway: should anybody read it, it lies in the middle."""
_MOST = float(np.finfo(np.float16).max)
"""Embeddings are stored in half precision: what does not fit into it is no number there."""
_DOUBT = "the network yields NaN or infinity for this picture"

Shape = Sequence[int | str | None]
"""Of an array as a graph or a server states it; only whole numbers from 0 up are promises, all else is open."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which of the network's inputs and outputs the card means: the output of each ``[[outputs]]``, in their order."""

    image: str
    outputs: tuple[str, ...]
    embedding: str | None

    @property
    def wanted(self) -> list[str]:
        """Every output to ask for, once."""
        return list(dict.fromkeys([*self.outputs, *([self.embedding] if self.embedding else [])]))


def wire(card: Card, *, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> Wiring:
    """CardError where the network's inputs and outputs are not what the card says."""
    assert card.input is not None
    if not inputs or not outputs:
        raise CardError(f"the network states {len(inputs)} inputs and {len(outputs)} outputs: it needs both")
    image = card.input.name or next(iter(inputs))
    if image not in inputs:
        raise CardError(f"[input] name {image!r} is not in the graph (there are: {', '.join(inputs)})")
    if len(inputs) > 1:
        raise CardError(
            f"the graph wants {len(inputs)} inputs ({', '.join(inputs)}): only one, the picture, can be fed"
        )
    _check_input(card, inputs[image])
    embedding = card.embedding.output if card.embedding else None
    first = next((name for name in outputs if name != embedding), "")
    names = tuple(spec.name or first for spec in card.outputs)
    for spec, name in zip(card.outputs, names, strict=True):
        _check_output(name, outputs, width=len(spec.classes), what="classes", more=spec.open)
    if card.embedding:
        _check_output(card.embedding.output, outputs, width=card.embedding.size, what="numbers in the embedding")
    return Wiring(image, names, embedding)


def _check_input(card: Card, shape: Shape) -> None:
    assert card.input is not None
    size = card.input.size
    expected = [3, size, size] if card.input.layout == "NCHW" else [size, size, 3]
    if len(shape) != 4 or any(_fixed(a) and a != b for a, b in zip(shape[1:], expected, strict=True)):
        raise CardError(f"[input] says N x {expected}, the graph wants {list(shape)}: mend size or layout")
    if _fixed(shape[0]):
        raise CardError(f"the graph takes exactly {shape[0]} pictures at a time: export it with a dynamic batch axis")


def _check_output(name: str, outputs: Mapping[str, Shape], *, width: int, what: str, more: bool = False) -> None:
    if name not in outputs:
        raise CardError(f"output {name!r} is not in the graph (there are: {', '.join(outputs)})")
    shape = outputs[name]
    known = [n for n in shape[1:] if isinstance(n, int) and _fixed(n)]
    if len(known) != len(shape) - 1:
        return
    found = int(np.prod(known, dtype=np.int64))
    if found < width or (found > width and not more):
        raise CardError(f"output {name!r} has shape {list(shape)}, the card says {width} {what}: mend the card")


def _fixed(size: int | str | None) -> bool:
    return isinstance(size, int) and size >= 0


def nothing(card: Card) -> Outputs:
    """What no pictures yield."""
    width = card.embedding.size if card.embedding else None
    return Outputs(np.empty((0, len(card.categories)), np.float32), np.empty((0, width), np.float32) if width else None)


def read(card: Card, wiring: Wiring, arrays: Mapping[str, FloatArray], *, count: int) -> Outputs:
    """The network's named outputs [N, …] as categories and embedding. A picture for which a number is NaN or infinite
    is an error of its own, and its embedding NaN; CardError where an array has another shape than the card says."""
    classes: dict[str, FloatArray] = {}
    for spec, name in zip(card.outputs, wiring.outputs, strict=True):
        raw = rows(arrays[name], name, count=count)
        if raw.shape[1] < len(spec.classes) or (raw.shape[1] > len(spec.classes) and not spec.open):
            raise CardError(f"output {name!r} has {raw.shape[1]} classes, the card lists {len(spec.classes)}: mend it")
        values = _activated(raw, spec)
        classes |= {label: values[:, i] for i, label in enumerate(spec.classes)}
    table, sound = _probabilities(card, classes, count=count)
    embeddings = None
    if card.embedding:
        assert wiring.embedding is not None
        embeddings = rows(arrays[wiring.embedding], wiring.embedding, count=count)
        if embeddings.shape[1] != card.embedding.size:
            raise CardError(
                f"the embedding has {embeddings.shape[1]} numbers, the card says {card.embedding.size}: mend it"
            )
        with np.errstate(invalid="ignore"):
            sound &= (np.abs(embeddings) <= _MOST).all(axis=1)
        if not sound.all():
            embeddings = np.where(sound[:, None], embeddings, np.float32(np.nan))
    return Outputs(table, embeddings, errors=dict.fromkeys(np.flatnonzero(~sound).tolist(), _DOUBT))


def check_grey(classifier: Classifier) -> None:
    """CardError unless the network yields finite numbers for two plain grey pictures."""
    outputs = classifier.run([ImageInput(Image.new("RGB", (64, 64), (127, 127, 127)))] * 2)
    if outputs.errors:
        raise CardError("the network yields NaN or infinity for a plain grey picture: its weights are damaged")


def rows(array: FloatArray, name: str, *, count: int) -> FloatArray:
    """[N, …] as [N, everything]; CardError where there is not one row a picture."""
    if array.ndim == 0 or array.shape[0] != count:
        raise CardError(f"output {name!r} has shape {list(array.shape)} for {count} pictures: one row a picture is due")
    return array.reshape(count, -1)


def _probabilities(
    card: Card, classes: Mapping[str, FloatArray], *, count: int
) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    table = np.empty((count, len(card.categories)), dtype=np.float32)
    sound = np.ones(count, dtype=np.bool_)
    for column, category in zip(table.T, card.categories, strict=True):
        found = np.broadcast_to(category.expression(classes), (count,))
        sound &= np.isfinite(found)
        probability = np.clip(np.where(np.isfinite(found), found, np.float32(_NAN)), 0.0, 1.0)
        if category.calibration.method != "none":
            inner = np.clip(probability.astype(np.float64), _TINY, 1 - _TINY)
            probability = category.calibration.apply(np.log(inner / (1 - inner))).astype(np.float32)
        column[:] = probability
    table[~sound] = _NAN
    return table, sound


def _activated(values: FloatArray, output: OutputSpec) -> FloatArray:
    if output.activation == "sigmoid":
        return sigmoid(values).astype(np.float32)
    if output.activation == "softmax":
        with np.errstate(invalid="ignore"):
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
    return values
