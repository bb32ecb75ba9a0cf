"""ROC, precision-recall and score curves, thinned to what a picture can show."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from classifiers.evaluations.samples import Floats

POINTS = 101
SCORE_BINS = 20


class Curves(TypedDict):
    """``roc``: [false positive rate, true positive rate]; ``pr``: [recall, precision]; ``scores``: of the harmful and
    of the harmless, the share in each of ``SCORE_BINS`` equal bins of score."""

    roc: list[list[float]]
    pr: list[list[float]]
    scores: dict[str, list[float]]


def curves(p: Floats, y: Floats, w: Floats) -> Curves:
    """Empty lists where one class is missing. A point a distinct score, thinned to ``POINTS`` with both ends kept."""
    edges = np.linspace(0, 1, SCORE_BINS + 1)
    scores = {}
    for name, value in (("harmful", 1), ("harmless", 0)):
        counts, _ = np.histogram(np.clip(p[y == value], 0, 1), edges, weights=w[y == value])
        scores[name] = [float(one) for one in counts / (counts.sum() or 1)]
    harm, rest = float(w[y == 1].sum()), float(w[y == 0].sum())
    if not harm or not rest:
        return Curves(roc=[], pr=[], scores=scores)
    _, where = np.unique(-p, return_inverse=True)  # the highest score first
    hits = np.cumsum(np.bincount(where, weights=w * y))
    false = np.cumsum(np.bincount(where, weights=w * (1 - y)))
    kept = np.unique(np.linspace(0, len(hits) - 1, POINTS - 1).round().astype(int))
    recall, precision = hits[kept] / harm, hits[kept] / (hits[kept] + false[kept])
    return Curves(
        roc=_pairs(np.concatenate([[0.0], false[kept] / rest]), np.concatenate([[0.0], recall])),
        pr=_pairs(recall, precision),
        scores=scores,
    )


def _pairs(x: Floats, y: Floats) -> list[list[float]]:
    return [[round(float(a), 6), round(float(b), 6)] for a, b in zip(x, y, strict=True)]
