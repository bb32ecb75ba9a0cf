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
