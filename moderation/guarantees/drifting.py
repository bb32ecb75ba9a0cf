"""Whether what comes in scores as the audits did. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

EDGES: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97)
ACT: Final = 0.25  # by convention: 0.1 is worth a look, 0.25 is another population
LEAST: Final = 500  # images, before a share in a bin says anything
FLOOR: Final = 1e-3  # an empty bin is not infinitely surprising


def binned(scores: Iterable[float], weights: Iterable[float] | None = None) -> list[float]:
    """The shares of scores in the bins between the edges; all 0 of none."""
    sums = [0.0] * (len(EDGES) + 1)
    values = list(scores)
    for score, weight in zip(values, weights if weights is not None else [1.0] * len(values), strict=True):
        sums[bisect_right(EDGES, score)] += weight
    total = sum(sums)
    return [one / total for one in sums] if total else sums


def stability(before: Sequence[float], after: Sequence[float]) -> float:
    """The population stability index, Σ (p − q) ln(p/q) over the bins (Siddiqi 2006, Credit risk scorecards)."""
    pairs = [(max(p, FLOOR), max(q, FLOOR)) for p, q in zip(before, after, strict=True)]
    return sum((p - q) * math.log(p / q) for p, q in pairs)


def farthest(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Kolmogorov and Smirnov's distance of two samples, the greatest gap between their distribution functions, and the
    chance of one as great were both from the same (N. Smirnov, Annals of Mathematical Statistics 19, 1948; its
    small-sample term by M. A. Stephens, Journal of the Royal Statistical Society B 32, 1970).
    """
    first, second = sorted(before), sorted(after)
    if not first or not second:
        return 0.0, 1.0
    gaps = (bisect_right(first, at) / len(first) - bisect_right(second, at) / len(second) for at in {*first, *second})
    distance = max(abs(gap) for gap in gaps)
    root = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    return distance, tail_of((root + 0.12 + 0.11 / root) * distance)


def tail_of(reach: float) -> float:
    """2 Σ (−1)^(j−1) exp(−2 j² λ²): Kolmogorov's distribution from λ up."""
    if reach < 0.2:  # there the sum has not begun to converge, and the chance is 1 to ten digits
        return 1.0
    terms = (math.exp(-2 * (j * reach) ** 2) * (1 if j % 2 else -1) for j in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))
