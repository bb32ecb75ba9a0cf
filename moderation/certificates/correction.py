"""What audits say when readers err."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

JEFFREYS: Final = 0.5
DRAWS: Final = 20_000
SEED: Final = 20_260


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share, with the interval in which the truth lies with 95 % confidence."""

    share: float
    low: float
    high: float


def corrected(
    k: float, n: float, *, sensitivity: tuple[float, float], specificity: tuple[float, float]
) -> Corrected | None:
    """The true share of violations, where readers found `k` in `n`, by Rogan & Gladen (1978, Estimating prevalence from
    the results of a screening test): θ = (p + Sp − 1) / (Se + Sp − 1), cut to [0, 1].

    `sensitivity` and `specificity` are given as what their Beta posteriors stand on: (a, b), as
    `review.quality.posteriors.Posterior` has them. Their uncertainty and that of p (Jeffreys' prior) are carried
    through by the same draws each time: the interval is of the quantiles (Lang & Reiczigel 2014 compare such). None
    where readers do no better than chance: then nothing can be said.
    """
    se, sp = mean(sensitivity), mean(specificity)
    if n <= 0 or se + sp - 1 <= 0:
        return None
    rng = np.random.default_rng(SEED)
    p = rng.beta(k + JEFFREYS, n - k + JEFFREYS, DRAWS)
    drawn = rng.beta(*sensitivity, DRAWS), rng.beta(*specificity, DRAWS)
    better = drawn[0] + drawn[1] - 1
    informative = better > 0
    theta = np.clip((p + drawn[1] - 1)[informative] / better[informative], 0, 1)
    low, high = np.quantile(theta, (0.025, 0.975))
    point = min(1.0, max(0.0, (k / n + sp - 1) / (se + sp - 1)))
    return Corrected(point, min(float(low), point), max(float(high), point))


def mean(posterior: tuple[float, float]) -> float:
    a, b = posterior
    return a / (a + b)
