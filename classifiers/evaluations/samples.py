"""Labels of one category, with what each version says of them and the groups that were declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """``label`` [N] is 0 or 1; ``weight`` [N], how many images of the traffic each stands for; ``cluster`` [N], which
    labels are of near-duplicates; ``scores``, the calibrated probabilities [N] of each side; ``groups``, for each
    attribute and each declared value of it, who is in it [N] (an image may have several values, as of territories)."""

    label: Floats
    weight: Floats
    cluster: NDArray[np.int64]
    scores: Mapping[str, Floats]
    groups: Mapping[str, Mapping[str, Mask]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.label.shape
        parts: list[NDArray[Any]] = [self.weight, self.cluster, *self.scores.values()]
        parts += [mask for values in self.groups.values() for mask in values.values()]
        if len(shape) != 1 or any(one.shape != shape for one in parts):
            raise ValueError("labels, weights, clusters, scores and groups must be as many")
        if not np.isin(self.label, (0.0, 1.0)).all():
            raise ValueError("labels are 0 or 1: leave unknown ones out")
        if any(not np.isfinite(one).all() for one in (self.weight, *self.scores.values())) or (self.weight <= 0).any():
            raise ValueError("scores are finite numbers and weights positive ones")

    def __len__(self) -> int:
        return len(self.label)

    @property
    def positives(self) -> int:
        return int(self.label.sum())

    @property
    def clusters(self) -> int:
        return len(np.unique(self.cluster))

    def where(self, chosen: Mask) -> Samples:
        return Samples(
            self.label[chosen],
            self.weight[chosen],
            self.cluster[chosen],
            {side: p[chosen] for side, p in self.scores.items()},
            {name: {value: mask[chosen] for value, mask in one.items()} for name, one in self.groups.items()},
        )


def looks(weight: Floats, cluster: NDArray[np.int64]) -> float:
    """How many equal, independent looks these labels are worth: (Σw)² over the sum of the squares of each cluster's
    weight (Kish 1965, with near-duplicates counted as one look); 0 of none."""
    if not len(weight):
        return 0.0
    _names, place = np.unique(cluster, return_inverse=True)
    together = np.bincount(place, weights=weight)
    return float(weight.sum() ** 2 / (together**2).sum())


def coded(names: NDArray[np.object_]) -> NDArray[np.int64]:
    """A number for each name, the same for the same."""
    _unique, place = np.unique(names.astype(str), return_inverse=True)
    return place.astype(np.int64)
