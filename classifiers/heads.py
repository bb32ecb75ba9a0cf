"""Small heads on a stored embedding, one a category: linear, or with a hidden layer besides. numpy only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import CardError, FloatArray
from classifiers.calibration import Calibration, CalibrationError, calibrate, sigmoid

__all__ = ["Calibration", "CalibrationError", "Heads", "Hidden", "Stack", "calibrate", "joined", "sigmoid"]


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """H units that K heads share: ``weight`` [H, D] and ``bias`` [H] of a rectified layer on the embedding, and ``out``
    [K, H], what each unit adds to each head. A head that is linear has a row of zeros there."""

    weight: FloatArray
    bias: FloatArray
    out: FloatArray

    def add(self, seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """[N, K]: what the layer adds to the heads' products on embeddings [N, D]."""
        units = np.maximum(seen @ self.weight.T.astype(np.float64) + self.bias.astype(np.float64), 0.0)
        return np.asarray(units @ self.out.T.astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """K heads on an embedding of D numbers: ``weight`` [K, D], ``bias`` [K], one calibration a category. ``hidden``
    adds to the linear part what a layer of units sees.
    ``normalised``: they read the embedding divided by its length, so that a product is a cosine similarity."""

    categories: tuple[str, ...]
    weight: FloatArray
    bias: FloatArray
    calibrations: tuple[Calibration, ...]
    normalised: bool = False
    hidden: Hidden | None = None

    def __post_init__(self) -> None:
        k = len(self.categories)
        if self.weight.ndim != 2 or self.weight.shape[0] != k or self.bias.shape != (k,) or len(self.calibrations) != k:
            raise CardError(
                f"heads do not fit together: {k} categories, weight {self.weight.shape}, bias {self.bias.shape}, "
                f"{len(self.calibrations)} calibrations"
            )
        if len(set(self.categories)) != k:
            raise CardError("a category has two heads: keep one")
        if self.hidden is not None:
            layer, units = self.hidden, self.hidden.weight.shape[:1]
            shapes = (layer.weight.shape, layer.bias.shape, layer.out.shape)
            if layer.weight.ndim != 2 or shapes != ((*units, self.weight.shape[1]), units, (k, *units)):
                raise CardError(f"the hidden layer does not fit the heads: {', '.join(map(str, shapes))}")
            if self.normalised:
                raise CardError("heads on embeddings of length 1 have no hidden layer")

    @property
    def embedding_size(self) -> int:
        return int(self.weight.shape[1])

    def check(self, embeddings: FloatArray | NDArray[np.float16]) -> None:
        """CardError unless ``embeddings`` are [N, D] of these heads' D."""
        if embeddings.ndim != 2 or embeddings.shape[1] != self.embedding_size:
            raise CardError(f"heads expect embeddings [N, {self.embedding_size}], got {list(embeddings.shape)}")

    def apply(self, embeddings: FloatArray | NDArray[np.float16]) -> FloatArray:
        """Calibrated probabilities [N, K] of embeddings [N, D]."""
        return Stack((self,)).apply(embeddings)[0]

    def calibrated(self, logits: NDArray[np.float64]) -> FloatArray:
        """Probabilities of the logits [N, K] of these heads."""
        scale = np.array([c.scale for c in self.calibrations])
        shift = np.array([c.shift for c in self.calibrations])
        probabilities = sigmoid(logits * scale + shift)
        for k, one in enumerate(self.calibrations):
            if one.knots:
                probabilities[:, k] = one.apply(logits[:, k])
        return probabilities.astype(np.float32)

    def pick(self, category: str) -> "Heads | None":
        """The one head of a category, or None. Units that say nothing to it are left out."""
        if category not in self.categories:
            return None
        k = self.categories.index(category)
        hidden = self.hidden
        if hidden is not None:
            used = hidden.out[k] != 0
            hidden = Hidden(hidden.weight[used], hidden.bias[used], hidden.out[[k]][:, used]) if used.any() else None
        return replace(
            self,
            categories=(category,),
            weight=self.weight[[k]],
            bias=self.bias[[k]],
            calibrations=(self.calibrations[k],),
            hidden=hidden,
        )

    def only(self, category: str) -> tuple[FloatArray, float, Calibration] | None:
        """Weight [D], bias and calibration of the linear part of one category, or None when there is no such head."""
        if category not in self.categories:
            return None
        k = self.categories.index(category)
        return self.weight[k], float(self.bias[k]), self.calibrations[k]

    def save(self, path: Path) -> None:
        """Write one safetensors file that holds everything ``load`` needs."""
        from safetensors.numpy import save_file

        tensors, metadata = self.parts()
        save_file(tensors, path, metadata=metadata)

    def parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """Tensors and metadata of a file that ``load`` reads, whatever else stands in it."""
        tensors: dict[str, NDArray[Any]] = {
            "weight": np.ascontiguousarray(self.weight, dtype=np.float32),
            "bias": np.ascontiguousarray(self.bias, dtype=np.float32),
            "scale": np.array([c.scale for c in self.calibrations], dtype=np.float64),
            "shift": np.array([c.shift for c in self.calibrations], dtype=np.float64),
        }
        if self.hidden is not None:
            layer = {"weight": self.hidden.weight, "bias": self.hidden.bias, "out": self.hidden.out}
            tensors |= {f"hidden.{name}": np.ascontiguousarray(part, dtype=np.float32) for name, part in layer.items()}
        # Only a calibration by knots has a tensor of its own, [knots, 2].
        tensors |= {f"knots.{k}": np.array(c.knots) for k, c in enumerate(self.calibrations) if c.knots}
        metadata = {
            "categories": json.dumps(self.categories),
            "methods": json.dumps([c.method for c in self.calibrations]),
            "normalised": json.dumps(self.normalised),
        }
        return tensors, metadata

    @classmethod
    def load(cls, path: Path) -> "Heads":
        """Read what ``save`` wrote; CardError when the file is something else."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                more = [name for name in file.keys() if name.startswith(("knots.", "hidden."))]  # noqa: SIM118 - no mapping
                tensors = {name: file.get_tensor(name) for name in ("weight", "bias", "scale", "shift", *more)}
            categories: Sequence[str] = json.loads(metadata["categories"])
            methods: Sequence[str] = json.loads(metadata["methods"])
            normalised = bool(json.loads(metadata.get("normalised", "false")))
            calibrations = tuple(
                Calibration(float(a), float(b), m, _knots(tensors.get(f"knots.{k}")))
                for k, (a, b, m) in enumerate(zip(tensors["scale"], tensors["shift"], methods, strict=True))
            )
            layer = [tensors[f"hidden.{name}"] for name in ("weight", "bias", "out")] if "hidden.out" in more else None
        except (SafetensorError, KeyError, ValueError) as error:
            raise CardError(
                f"{path.name} is not a heads file (safetensors with weight, bias, scale, shift): {error}"
            ) from error
        hidden = Hidden(*layer) if layer else None
        return cls(tuple(categories), tensors["weight"], tensors["bias"], calibrations, normalised, hidden)


def _knots(stored: NDArray[Any] | None) -> tuple[tuple[float, float], ...]:
    return () if stored is None else tuple((float(logit), float(p)) for logit, p in stored)


def joined(heads: Sequence[Heads]) -> Heads:
    """Heads of different categories as one. Layers that several of them share lie in it once.

    Raises CardError where one reads lengths and another directions, or where nothing is given.
    """
    if not heads or len({one.normalised for one in heads}) != 1:
        raise CardError("heads of different sorts cannot be one version: train all of them with one recipe")
    layers: dict[bytes, Hidden] = {}
    for one in heads:
        if one.hidden is not None:
            layers.setdefault(one.hidden.weight.tobytes() + one.hidden.bias.tobytes(), one.hidden)
    starts = dict(zip(layers, np.cumsum([0, *(len(one.bias) for one in layers.values())]), strict=False))
    total = sum(len(one.bias) for one in layers.values())
    rows = []
    for one in heads:
        out = np.zeros((len(one.categories), total), np.float32)
        if one.hidden is not None:
            start = starts[one.hidden.weight.tobytes() + one.hidden.bias.tobytes()]
            out[:, start : start + len(one.hidden.bias)] = one.hidden.out
        rows.append(out)
    hidden = None
    if layers:
        found = list(layers.values())
        hidden = Hidden(
            np.concatenate([one.weight for one in found]), np.concatenate([one.bias for one in found]), np.vstack(rows)
        )
    return Heads(
        tuple(category for one in heads for category in one.categories),
        np.concatenate([one.weight for one in heads]).astype(np.float32),
        np.concatenate([one.bias for one in heads]).astype(np.float32),
        tuple(curve for one in heads for curve in one.calibrations),
        heads[0].normalised,
        hidden,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The heads of several versions on one backbone, evaluated as one matrix product for a whole batch."""

    members: tuple[Heads, ...]

    def apply(self, embeddings: FloatArray | NDArray[np.float16]) -> list[FloatArray]:
        """What each member says of embeddings [N, D]: calibrated probabilities [N, K] a member, in order."""
        return [heads.calibrated(one) for heads, one in zip(self.members, self.logits(embeddings), strict=True)]

    def logits(self, embeddings: FloatArray | NDArray[np.float16]) -> list[NDArray[np.float64]]:
        """What calibration starts from, [N, K] a member.

        In double precision, so that a head says the same alone and among others, of one picture and of a thousand:
        a product in single precision depends on how it is cut into blocks.
        """
        for heads in self.members:
            heads.check(embeddings)
        weight = np.concatenate([heads.weight for heads in self.members]).astype(np.float64)
        seen = np.asarray(embeddings, dtype=np.float64)
        products = seen @ weight.T
        borders = np.cumsum([len(heads.categories) for heads in self.members])[:-1]
        said: list[NDArray[np.float64]] = []
        for heads, mine in zip(self.members, np.split(products, borders, axis=1), strict=True):
            # An embedding of zeros has no direction, so nothing is similar to it.
            length = np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-12) if heads.normalised else 1.0
            more = 0.0 if heads.hidden is None else heads.hidden.add(seen)
            said.append(np.asarray(mine / length + heads.bias + more, dtype=np.float64))
        return said
