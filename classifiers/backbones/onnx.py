"""Serving in onnxruntime: one session a process, one thread a session; processes = cores."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.backbones.network import Wiring, check_grey, nothing, read, wire
from classifiers.backbones.pixels import tensor
from classifiers.base import CardError, ImageInput, Outputs, Score, scores
from classifiers.cards import Card

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")

# On a CPU a few pictures at a time stay in its caches: a MobileNet's process then holds 229 MiB instead of 487, and
# takes 13 % less time.
_STEP = 8


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
        self._session: tuple[InferenceSession, Wiring] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        if not images:
            return nothing(self.card)
        assert self.card.input is not None
        session, wiring = self.session()
        step = len(images) if "CUDAExecutionProvider" in session.get_providers() else _STEP
        parts: list[list[Any]] = [
            session.run(wiring.wanted, {wiring.image: tensor(images[at : at + step], self.card.input)})
            for at in range(0, len(images), step)
        ]
        joined = parts[0] if len(parts) == 1 else [np.concatenate(each) for each in zip(*parts, strict=True)]
        arrays = {name: np.asarray(value, np.float32) for name, value in zip(wiring.wanted, joined, strict=True)}
        return read(self.card, wiring, arrays, count=len(images))

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)

    def check(self) -> None:
        """CardError unless the graph loads, fits the card and yields finite numbers of the promised width for a grey
        picture."""
        check_grey(self)

    def session(self) -> "tuple[InferenceSession, Wiring]":
        """The process's own session, checked against the card when it opens."""
        with self._lock:
            if self._session is None or self._owner != os.getpid():
                self._session = self._open()
                self._owner = os.getpid()
            return self._session

    def _open(self) -> "tuple[InferenceSession, Wiring]":
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
        wiring = wire(
            self.card,
            inputs={value.name: value.shape for value in session.get_inputs()},
            outputs={value.name: value.shape for value in session.get_outputs()},
        )
        return session, wiring
