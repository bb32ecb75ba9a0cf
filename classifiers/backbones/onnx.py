"""Serving in onnxruntime: one session a process, one thread a session; processes = cores."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from classifiers.backbones.network import probabilities
from classifiers.backbones.pixels import tensor
from classifiers.base import CardError, FloatArray, ImageInput, Outputs, Score, scores
from classifiers.cards import Card

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")


def open_card(card: Card, *, cache: Path | None = None) -> "OnnxClassifier":  # noqa: ARG001 - every opener takes it
    return OnnxClassifier(card)


class OnnxClassifier:
    """An eye served by onnxruntime. Construction reads the graph's header only; the session opens on first use.

    A session's threads do not survive ``fork``, so a process that finds it was opened by its parent opens its own.
    """

    def __init__(self, card: Card, *, weights: Path | None = None) -> None:
        self.card = card
        self.name, self.version = card.name, card.version
        self.categories = tuple(category.code for category in card.categories)
        self.embedding_size = card.embedding.size if card.embedding else None
        self._weights = weights or card.weights
        self._session: InferenceSession | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        count, spec = len(images), self.card.input
        assert spec is not None
        names = [output.name for output in self.card.outputs]
        if self.card.embedding:
            names.append(self.card.embedding.output)
        if not count:
            width = self.embedding_size
            return Outputs(
                np.empty((0, len(self.categories)), np.float32), np.empty((0, width), np.float32) if width else None
            )
        session = self.session()
        name = spec.name or session.get_inputs()[0].name
        results: list[Any] = session.run(names, {name: tensor(images, spec)})
        arrays: dict[str, FloatArray] = {
            key: np.asarray(value, dtype=np.float32) for key, value in zip(names, results, strict=True)
        }
        embeddings = arrays[self.card.embedding.output].reshape(count, -1) if self.card.embedding else None
        return Outputs(probabilities(self.card, arrays, count=count), embeddings)

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)

    def check(self) -> None:
        """CardError unless the graph loads, fits the card and yields finite numbers of the promised width for a grey
        picture."""
        assert self.card.input is not None
        side = self.card.input.size
        outputs = self.run([ImageInput(Image.new("RGB", (side, side), (127, 127, 127)))] * 2)
        if outputs.embeddings is not None and outputs.embeddings.shape[1] != self.embedding_size:
            raise CardError(
                f"the embedding has {outputs.embeddings.shape[1]} numbers, the card says {self.embedding_size}: mend it"
            )
        if not all(np.isfinite(a).all() for a in (outputs.probabilities, outputs.embeddings) if a is not None):
            raise CardError("the network yields NaN or infinity for a plain grey picture: its weights are damaged")

    def session(self) -> "InferenceSession":
        """The process's own session, checked against the card when it opens."""
        with self._lock:
            if self._session is None or self._owner != os.getpid():
                self._session = self._open()
                self._owner = os.getpid()
            return self._session

    def _open(self) -> "InferenceSession":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        available = onnxruntime.get_available_providers()
        providers = [name for name in _PREFERRED if name in available]
        try:
            # Bytes rather than a path: onnxruntime then refuses external data files, whose sha256 nobody has checked.
            session = onnxruntime.InferenceSession(self._weights.read_bytes(), options, providers=providers)
        except Exception as error:
            raise CardError(f"{self._weights.name} does not load in onnxruntime: {error}") from error
        check_graph(self.card, session)
        return session


def check_graph(card: Card, session: "InferenceSession") -> None:
    """CardError where the graph's inputs and outputs are not what the card says."""
    assert card.input is not None
    inputs = {value.name: list(value.shape) for value in session.get_inputs()}
    outputs = {value.name: list(value.shape) for value in session.get_outputs()}
    name = card.input.name or next(iter(inputs))
    if name not in inputs:
        raise CardError(f"[input] name {name!r} is not in the graph (there are: {', '.join(inputs)})")
    if len(inputs) > 1:
        raise CardError(
            f"the graph wants {len(inputs)} inputs ({', '.join(inputs)}): only one, the picture, can be fed"
        )
    size, shape = card.input.size, inputs[name]
    expected = [3, size, size] if card.input.layout == "NCHW" else [size, size, 3]
    if len(shape) != 4 or any(isinstance(a, int) and a != b for a, b in zip(shape[1:], expected, strict=True)):
        raise CardError(f"[input] says N x {expected}, the graph wants {shape}: mend size or layout")
    if isinstance(shape[0], int):
        raise CardError(f"the graph takes exactly {shape[0]} pictures at a time: export it with a dynamic batch axis")
    widths = [(output.name, len(output.classes), "classes") for output in card.outputs]
    if card.embedding:
        widths.append((card.embedding.output, card.embedding.size, "numbers in the embedding"))
    for name, width, what in widths:
        if name not in outputs:
            raise CardError(f"output {name!r} is not in the graph (there are: {', '.join(outputs)})")
        known = [n for n in outputs[name][1:] if isinstance(n, int)]
        if len(known) == len(outputs[name]) - 1 and int(np.prod(known, dtype=np.int64)) != width:
            raise CardError(f"output {name!r} has shape {outputs[name]}, the card says {width} {what}: mend the card")
