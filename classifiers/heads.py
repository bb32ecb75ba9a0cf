"""Small linear heads on a stored embedding, one a category, and the calibration of their logits. numpy only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.base import CardError, FloatArray

_NEWTON_STEPS = 100
_MIN_EACH = 2
"""Fewer labels of either class than this cannot say anything about the shape of the curve."""


class CalibrationError(ValueError):
    """The scores or labels cannot be calibrated. The message says why."""


def sigmoid(z: ArrayLike) -> NDArray[np.float64]:
    """Logistic function without overflow."""
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, e) / (1.0 + e))


@dataclass(frozen=True, slots=True)
class Calibration:
    """p = sigmoid(scale * logit + shift). ``method``: ``none``, ``temperature`` (shift 0, scale 1/T), ``platt`` or
    ``prior``."""

    scale: float = 1.0
    shift: float = 0.0
    method: str = "none"

    def apply(self, logits: ArrayLike) -> NDArray[np.float64]:
        """Probabilities in [0, 1], same shape as ``logits``."""
        return sigmoid(self.scale * np.asarray(logits, dtype=np.float64) + self.shift)


def calibrate(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    method: str = "platt",
    prior: Calibration | None = None,
    prior_weight: float = 0.0,
) -> Calibration:
    """Fit the curve from logits [N] to the probability of label 1 on labels never used to fit the head.

    ``platt``: both parameters by Newton's method on the log loss, with the smoothed targets of Platt 1999
    (as in Lin, Lin & Weng 2007), so a perfectly separable set gives a finite slope. ``temperature``: the slope only.
    With a ``prior`` the parameters are drawn to those of the earlier calibration as strongly as ``prior_weight``
    labels would (ridge on slope and shift), which is what keeps a dozen new labels from overturning thousands.

    Degenerate sets are answered honestly: no label gives the prior (or the identity); labels of one class only, or
    fewer than two of either, say nothing about the slope, which is kept while the level moves (``method="prior"``).
    Raises CalibrationError for values that are not finite, labels other than 0 and 1, or unequal lengths.
    """
    z, y, w = _checked(logits, labels, weights)
    start = prior or Calibration()
    if method not in {"platt", "temperature"}:
        raise CalibrationError(f"unknown method {method!r}: use platt or temperature")
    positives, negatives = float(w[y == 1].sum()), float(w[y == 0].sum())
    if len(z) == 0 or positives + negatives == 0:
        return start
    thin = min(int((y == 1).sum()), int((y == 0).sum())) < _MIN_EACH
    smoothed = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    free = np.array([not thin, method == "platt" or thin])
    ridge = np.full(2, prior_weight if prior is not None else 1e-6)
    # One unit of slope moves a logit by the spread of the logits, so the slope's ridge is in those units.
    ridge[0] *= max(float(np.average(z**2, weights=w)), 1e-6)
    if thin:
        ridge[1] = max(ridge[1], 1.0)
    scale, shift = _newton(z, smoothed, w, np.array([start.scale, start.shift]), ridge=ridge, free=free)
    if scale <= 0:
        # The head ranks the wrong way round on these labels. A negative slope would make "more violating" mean "safer".
        return Calibration(start.scale, start.shift, "prior")
    return Calibration(float(scale), float(shift), "prior" if thin else method)


def _checked(
    logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    z = np.asarray(logits, dtype=np.float64).ravel()
    y = np.asarray(labels, dtype=np.float64).ravel()
    w = np.ones_like(z) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if not len(z) == len(y) == len(w):
        raise CalibrationError(f"{len(z)} logits, {len(y)} labels and {len(w)} weights: they must be as many")
    if not (np.isfinite(z).all() and np.isfinite(w).all()):
        raise CalibrationError("logits and weights must be finite numbers: remove NaN and infinity first")
    if not np.isin(y, (0.0, 1.0)).all():
        raise CalibrationError("labels must be 0 or 1: leave unknown labels out")
    if (w < 0).any():
        raise CalibrationError("weights must not be negative")
    return z, y, w


def _newton(
    z: NDArray[np.float64],
    target: NDArray[np.float64],
    w: NDArray[np.float64],
    start: NDArray[np.float64],
    *,
    ridge: NDArray[np.float64],
    free: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Minimise the weighted log loss plus the ridge to ``start`` over the free ones of (scale, shift)."""

    def loss(theta: NDArray[np.float64]) -> float:
        s = theta[0] * z + theta[1]
        pull = 0.5 * float((ridge * (theta - start) ** 2).sum())
        return float((w * (np.logaddexp(0, s) - target * s)).sum()) + pull

    theta, value = start.copy(), loss(start)
    for _ in range(_NEWTON_STEPS):
        p = sigmoid(theta[0] * z + theta[1])
        residual, curvature = w * (p - target), w * p * (1 - p)
        gradient = np.array([(residual * z).sum(), residual.sum()]) + ridge * (theta - start)
        off = (curvature * z).sum()
        hessian = np.array([[(curvature * z * z).sum(), off], [off, curvature.sum()]]) + np.diag(ridge + 1e-9)
        gradient, hessian = gradient[free], hessian[np.ix_(free, free)]
        if np.abs(gradient).max() < 1e-8:
            break
        step = np.zeros(2)
        step[free] = np.linalg.solve(hessian, gradient)
        length = 1.0
        while (candidate := loss(theta - length * step)) > value and length > 1e-10:
            length /= 2
        if length <= 1e-10:
            break
        theta, value = theta - length * step, candidate
    return theta


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """K linear heads on an embedding of D numbers: ``weight`` [K, D], ``bias`` [K], one calibration a category."""

    categories: tuple[str, ...]
    weight: FloatArray
    bias: FloatArray
    calibrations: tuple[Calibration, ...]

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
        return sigmoid(logits * scale + shift).astype(np.float32)

    def only(self, category: str) -> tuple[FloatArray, float, Calibration] | None:
        """Weight [D], bias and calibration of one category, or None when there is no such head."""
        if category not in self.categories:
            return None
        k = self.categories.index(category)
        return self.weight[k], float(self.bias[k]), self.calibrations[k]

    def save(self, path: Path) -> None:
        """Write one safetensors file that holds everything ``load`` needs."""
        from safetensors.numpy import save_file

        tensors: dict[str, NDArray[Any]] = {
            "weight": np.ascontiguousarray(self.weight, dtype=np.float32),
            "bias": np.ascontiguousarray(self.bias, dtype=np.float32),
            "scale": np.array([c.scale for c in self.calibrations], dtype=np.float64),
            "shift": np.array([c.shift for c in self.calibrations], dtype=np.float64),
        }
        metadata = {
            "categories": json.dumps(self.categories),
            "methods": json.dumps([c.method for c in self.calibrations]),
        }
        save_file(tensors, path, metadata=metadata)

    @classmethod
    def load(cls, path: Path) -> "Heads":
        """Read what ``save`` wrote; CardError when the file is something else."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in ("weight", "bias", "scale", "shift")}
            categories: Sequence[str] = json.loads(metadata["categories"])
            methods: Sequence[str] = json.loads(metadata["methods"])
            calibrations = tuple(
                Calibration(float(a), float(b), m)
                for a, b, m in zip(tensors["scale"], tensors["shift"], methods, strict=True)
            )
        except (SafetensorError, KeyError, ValueError) as error:
            raise CardError(
                f"{path.name} is not a heads file (safetensors with weight, bias, scale, shift): {error}"
            ) from error
        return cls(tuple(categories), tensors["weight"], tensors["bias"], calibrations)


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
        weight, bias = (np.concatenate([getattr(heads, name) for heads in self.members]) for name in ("weight", "bias"))
        logits = np.asarray(embeddings, dtype=np.float64) @ weight.T.astype(np.float64) + bias
        borders = np.cumsum([len(heads.categories) for heads in self.members])[:-1]
        columns = np.split(logits, borders, axis=1)
        return [heads.calibrated(mine) for heads, mine in zip(self.members, columns, strict=True)]
