"""Isotonic regression by pooling adjacent violators: the rising curve with the least squared error. numpy only."""

import numpy as np
from numpy.typing import NDArray

Knots = tuple[tuple[float, float], ...]
"""(logit, probability) pairs, both rising; between them the curve is a line, beyond them it is flat."""


def isotonic(logits: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[np.float64]) -> Knots:
    """The knots of the rising curve through [N] logits and targets.

    Pool adjacent violators (Ayer et al. 1955), with each pool standing at its weighted mean logit, so that the curve
    rises strictly between pools and keeps the ranking there (centred isotonic regression, Oron & Flournoy 2017).
    """
    places, where = np.unique(logits, return_inverse=True)
    mass = np.bincount(where, weights=weights)
    level = np.bincount(where, weights=weights * targets)
    pools: list[tuple[float, float, float]] = []  # mass, sum of mass x target, sum of mass x logit
    for w, total, x in zip(mass.tolist(), level.tolist(), (mass * places).tolist(), strict=True):
        if w <= 0:
            continue
        pool = (w, total, x)
        while pools and pools[-1][1] * pool[0] >= pool[1] * pools[-1][0]:
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
        pools.append(pool)
    return tuple((x / w, min(max(total / w, 0.0), 1.0)) for w, total, x in pools)


def check(knots: Knots) -> str:
    """What is wrong with these knots, in words; "" when nothing is."""
    if not knots:
        return ""
    table = np.asarray(knots, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 2 or not np.isfinite(table).all():
        return "knots must be pairs of finite numbers: logit, probability"
    rising = (np.diff(table[:, 0]) > 0).all() and (np.diff(table[:, 1]) >= 0).all()
    inside = table[:, 1].min() >= 0 and table[:, 1].max() <= 1
    return "" if rising and inside else "knots must rise in logit and in probability, which lies in 0 to 1"
