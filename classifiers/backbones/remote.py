"""Networks that run on another machine, behind the Open Inference Protocol v2 (Triton, KServe, Ray Serve, MLServer …).

Their weights cannot be checked from here. What can be is checked: that the server is ready, and that the model it
names has the inputs and outputs of the card, before it answers for the first image of each process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.backbones.client import Client, NoAnswer
from classifiers.backbones.inference import BINARY, JSON_DIGITS, TYPES, Garbled, decode, encode, load_object
from classifiers.backbones.network import Shape, Wiring, check_grey, nothing, read, wire
from classifiers.backbones.pixels import tensor
from classifiers.backbones.servers import read_server
from classifiers.base import CardError, FloatArray, ImageInput, Outputs, Score, scores
from classifiers.cards import Card
from classifiers.fields import Table


def open_card(card: Card, *, cache: Path | None = None) -> "RemoteClassifier":  # noqa: ARG001 - every opener takes it
    return RemoteClassifier(card)


@dataclass(frozen=True, slots=True)
class _Served:
    """What the server says of the model: which tensors are meant, and how to send them."""

    wiring: Wiring
    datatype: str
    binary: bool


class RemoteClassifier:
    """An eye on another machine. Nothing is asked of it before the first image; what it said of itself is kept for
    the life of the process, and asked again after a failure."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.name, self.version = card.name, card.version
        self.categories = tuple(category.code for category in card.categories)
        self.embedding_size = card.embedding.size if card.embedding else None
        self.server = read_server(Table(card.table, "card"))
        self.client = Client(self.server)
        self._served: _Served | None = None

    def run(self, images: Sequence[ImageInput]) -> Outputs:
        """As every classifier's, in requests of at most the card's ``batch``. NoAnswer when the server gives none that
        can be used; CardError when it serves another model than the card describes."""
        if not images:
            return nothing(self.card)
        served = self._served or self._ask()
        try:
            step = self.server.batch
            parts = [self._infer(images[at : at + step], served) for at in range(0, len(images), step)]
            arrays = {name: np.concatenate([part[name] for part in parts]) for name in served.wiring.wanted}
            outputs = read(self.card, served.wiring, arrays, count=len(images))
        except (NoAnswer, CardError):
            # It may come back as another model.
            self._served = None
            raise
        self._served = served
        return outputs

    def score(self, images: Sequence[ImageInput]) -> list[Score]:
        return scores(self.run(images), self.categories)

    def check(self) -> None:
        """CardError unless the server is ready, its model fits the card and it answers for a grey picture."""
        try:
            check_grey(self)
        except NoAnswer as error:
            raise CardError(f"the model server does not answer as it should: {error}") from error

    def _ask(self) -> _Served:
        self.client.get("v2/health/ready")
        model, server = self._object(self.server.path), self._object("v2")
        inputs, outputs = _tensors(model, "inputs"), _tensors(model, "outputs")
        wiring = wire(self.card, inputs=_shapes(inputs), outputs=_shapes(outputs))
        datatype = str(inputs[wiring.image].get("datatype"))
        if datatype not in TYPES:
            raise CardError(f"the model is fed {datatype}: only {', '.join(TYPES)} can be sent")
        extensions = server.get("extensions")
        return _Served(wiring, datatype, isinstance(extensions, list) and BINARY in extensions)

    def _object(self, path: str) -> dict[str, Any]:
        try:
            return load_object(self.client.get(path).body)
        except Garbled as error:
            raise NoAnswer(f"{self.server.url}{path}: {error}") from error

    def _infer(self, images: Sequence[ImageInput], served: _Served) -> dict[str, FloatArray]:
        assert self.card.input is not None
        wanted = served.wiring.wanted
        body, headers = encode(
            tensor(images, self.card.input),
            name=served.wiring.image,
            datatype=served.datatype,
            outputs=wanted,
            binary=served.binary,
        )
        path = f"{self.server.path}/infer"
        answer = self.client.call("POST", path, body=body, headers=headers, most=self._most(len(images)))
        try:
            said, arrays = decode(answer.body, answer.headers)
            self._check_model(said)
            if missing := [name for name in wanted if name not in arrays]:
                raise Garbled(f"the answer lacks output {missing[0]!r}")
            if short := [name for name in wanted if arrays[name].ndim == 0 or len(arrays[name]) != len(images)]:
                raise Garbled(
                    f"output {short[0]!r} has shape {list(arrays[short[0]].shape)} for {len(images)} pictures"
                )
        except Garbled as error:
            raise NoAnswer(f"{self.server.url}{path}: {error}") from error
        return arrays

    def _check_model(self, said: Mapping[str, Any]) -> None:
        stated, version = said.get("model_name", self.server.model), said.get("model_version")
        if stated != self.server.model:
            raise Garbled(f"the answer is of the model {stated!r}")
        if self.server.model_version and str(version or self.server.model_version) != self.server.model_version:
            raise Garbled(f"the answer is of version {version!r}, the card says {self.server.model_version!r}")

    def _most(self, count: int) -> int:
        """Bytes an answer may have: the numbers of the card as JSON, and room for what stands around them."""
        width = sum(len(spec.classes) if not spec.open else 65536 for spec in self.card.outputs)
        return count * (width + (self.embedding_size or 0)) * JSON_DIGITS + (1 << 16)


def _tensors(model: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    found = model.get(key)
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in found
    ):
        raise NoAnswer(f"the model's metadata has no list of {key}")
    return {one["name"]: one for one in found}


def _shapes(tensors: Mapping[str, Mapping[str, Any]]) -> dict[str, Shape]:
    return {name: shape if isinstance(shape := one.get("shape"), list) else [] for name, one in tensors.items()}
