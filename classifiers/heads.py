"""Small linear heads on a stored embedding, one a category. numpy only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import CardError, FloatArray
from classifiers.calibration import Calibration, CalibrationError, calibrate, sigmoid

__all__ = ["Calibration", "CalibrationError", "Heads", "Stack", "calibrate", "sigmoid"]


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """K linear heads on an embedding of D numbers: ``weight`` [K, D], ``bias`` [K], one calibration a category.
    ``normalised``: they read the embedding divided by its length, so that a product is a cosine similarity."""

    categories: tuple[str, ...]
    weight: FloatArray
    bias: FloatArray
    calibrations: tuple[Calibration, ...]
    normalised: bool = False

    def __post_init__(self) -> None:
        k = len(self.categories)
        if self.weight.ndim != 2 or self.weight.shape[0] != k or self.bias.shape != (k,) or len(self.calibrations) != k:
            raise CardError(
                f"heads do not fit together: {k} categories, weight {self.weight.shape}, bias {self.bias.shape}, "
                f"{len(self.calibrations)} calibrations"
            )
        if len(set(self.categories)) != k:
            raise CardError("a category has two heads: keep one")

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

    def only(self, category: str) -> tuple[FloatArray, float, Calibration] | None:
        """Weight [D], bias and calibration of one category, or None when there is no such head."""
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
                knots = [name for name in file.keys() if name.startswith("knots.")]  # noqa: SIM118 - no mapping
                tensors = {name: file.get_tensor(name) for name in ("weight", "bias", "scale", "shift", *knots)}
            categories: Sequence[str] = json.loads(metadata["categories"])
            methods: Sequence[str] = json.loads(metadata["methods"])
            normalised = bool(json.loads(metadata.get("normalised", "false")))
            calibrations = tuple(
                Calibration(float(a), float(b), m, _knots(tensors.get(f"knots.{k}")))
                for k, (a, b, m) in enumerate(zip(tensors["scale"], tensors["shift"], methods, strict=True))
            )
        except (SafetensorError, KeyError, ValueError) as error:
            raise CardError(
                f"{path.name} is not a heads file (safetensors with weight, bias, scale, shift): {error}"
            ) from error
        return cls(tuple(categories), tensors["weight"], tensors["bias"], calibrations, normalised)


def _knots(stored: NDArray[Any] | None) -> tuple[tuple[float, float], ...]:
    return () if stored is None else tuple((float(logit), float(p)) for logit, p in stored)


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The heads of several versions on one backbone, evaluated as one matrix product for a whole batch."""

    members: tuple[Heads, ...]

    def apply(self, embeddings: FloatArray | NDArray[np.float16]) -> list[FloatArray]:
        """What each member says of embeddings [N, D]: calibrated probabilities [N, K] a member, in order.

        In double precision, so that a head says the same alone and among others, of one picture and of a thousand:
        a product in single precision depends on how it is cut into blocks.
        """
        for heads in self.members:
            heads.check(embeddings)
        weight = np.concatenate([heads.weight for heads in self.members]).astype(np.float64)
        seen = np.asarray(embeddings, dtype=np.float64)
        products = seen @ weight.T
        borders = np.cumsum([len(heads.categories) for heads in self.members])[:-1]
        said = []
        for heads, mine in zip(self.members, np.split(products, borders, axis=1), strict=True):
            # An embedding of zeros has no direction, so nothing is similar to it.
            length = np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-12) if heads.normalised else 1.0
            said.append(heads.calibrated(mine / length + heads.bias))
        return said
