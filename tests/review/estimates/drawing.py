"""Houses whose truth is known, and lots drawn from them by numpy: the sums that the product would have kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from review.estimates.shares import Sums

Floats = NDArray[np.float64]
Z = 1.959964


@dataclass(frozen=True)
class Stock:
    """Images of which it is known whether each is a hit [N], with the chance that each is looked at [N]."""

    hits: NDArray[np.bool_]
    chances: Floats

    @property
    def share(self) -> float:
        return float(self.hits.mean())

    def drawn(self, rng: np.random.Generator, runs: int) -> list[Sums]:
        """As many lots, each image by its own chance; all at once."""
        weights = 1 / self.chances
        columns = np.stack([np.ones_like(weights), self.hits, weights, weights**2])
        columns = np.vstack([columns, columns[2:] * self.hits])
        looked = np.concatenate([rng.random((50, len(weights))) < self.chances for _block in range(-(-runs // 50))])
        images, sums = len(weights), (looked[:runs] @ columns.T).tolist()
        return [Sums(images, int(n), int(k), *map(float, rest)) for n, k, *rest in sums]


def approvals(rng: np.random.Generator, *, images: int, prevalence: float) -> Stock:
    """What machines approve: the higher the score, the likelier a miss and the likelier an audit, 1 % at least."""
    scores = rng.beta(0.4, 12, images)
    missed = rng.random(images) < scores * prevalence / scores.mean()
    return Stock(missed, np.clip(0.01 + scores / 2, 0.01, 0.3))


def blocks(rng: np.random.Generator, *, images: int, precision: float, adverse: bool = False) -> Stock:
    """What they block: the surer, the rarer an audit; `adverse`: the wrong ones are audited least."""
    doubt = 1 - rng.beta(8, 2, images)
    right = rng.random(images) >= np.clip(doubt * (1 - precision) / doubt.mean(), 0, 1)
    return Stock(right, np.where(right, 0.4, 0.05) if adverse else np.clip(0.05 + doubt / 2, 0.05, 0.5))


def people(rng: np.random.Generator, *, images: int, harmful: float, answered: float = 1.0) -> Stock:
    """What is sent to people: all of it is looked at, or as much as they have come to."""
    return Stock(rng.random(images) < harmful, np.full(images, answered))


def taylor(sums: Sums) -> tuple[float, float]:
    """The plain interval: the ratio and 1.96 standard errors by Taylor's rule."""
    share = sums.w_hits / sums.w if sums.w else 0.0
    hits, others = sums.w2_hits - sums.w_hits, (sums.w2 - sums.w2_hits) - (sums.w - sums.w_hits)
    error = np.sqrt((1 - share) ** 2 * hits + share**2 * others) / max(sums.w, 1)
    return share - Z * error, share + Z * error


def kish(sums: Sums) -> tuple[float, float]:
    """Wilson's, on the effective number (Σw)²/Σw²."""
    n, p = sums.w**2 / sums.w2, sums.w_hits / sums.w
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + (Z / n) ** 2 / 4)
    return middle - half, middle + half


def covered(intervals: Sequence[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))
