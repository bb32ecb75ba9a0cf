"""How good calibrated probabilities are: ranking, calibration, and what happens at a threshold. numpy only."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.calibration import log_loss

BINS = 10
THRESHOLDS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


class Bin(TypedDict):
    """Labels whose probability lies from ``low`` to ``high``: ``n`` by weight, ``count`` of them, and the 95 % interval
    of the share that violates."""

    low: float
    high: float
    n: float
    count: int
    mean_probability: float
    share_violating: float
    share_low: float
    share_high: float


class AtThreshold(TypedDict):
    """Rates are None where nothing lies on that side. ``false_omission`` is the share violating among p < threshold,
    ``false_discovery`` the share not violating among p >= threshold. Intervals are at 95 %."""

    threshold: float
    flagged: float
    precision: float | None
    precision_interval: list[float] | None
    recall: float | None
    recall_interval: list[float] | None
    false_omission: float | None
    false_discovery: float | None
    n: int


class Metrics(TypedDict):
    n: int
    positives: int
    auc: float | None
    ap: float | None
    ece: float | None
    ece_bins: int
    brier: float | None
    log_loss: float | None
    at_threshold: list[AtThreshold]
    reliability: list[Bin]


def evaluate(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Metrics:
    """All figures of one category; ranking figures are None unless both classes are there."""
    p, y, w = _arrays(probabilities, labels, weights)
    return Metrics(
        n=len(p),
        positives=int(y.sum()),
        auc=auc(p, y, w),
        ap=average_precision(p, y, w),
        ece=expected_calibration_error(p, y, w),
        ece_bins=BINS,
        brier=brier(p, y, w),
        log_loss=log_loss(p, y, w) if w.sum() > 0 else None,
        at_threshold=at_thresholds(p, y, w),
        reliability=reliability(p, y, w),
    )


def auc(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Chance that a violating picture scores above one that is not, ties counting half (Mann-Whitney)."""
    p, y, w = _arrays(probabilities, labels, weights)
    positive, negative = _by_score(p, y, w)
    total = positive.sum() * negative.sum()
    if total == 0:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / total)


def average_precision(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Sum over distinct scores, highest first, of precision times the gain in recall."""
    p, y, w = _arrays(probabilities, labels, weights)
    positive, negative = (side[::-1] for side in _by_score(p, y, w))
    if positive.sum() == 0:
        return None
    hits, seen = np.cumsum(positive), np.cumsum(positive + negative)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return float((precision * positive).sum() / positive.sum())


def brier(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Mean squared distance of probability and label."""
    p, y, w = _arrays(probabilities, labels, weights)
    return float(np.average((p - y) ** 2, weights=w)) if w.sum() > 0 else None


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None, *, bins: int = BINS
) -> list[Bin]:
    """Equal-width bins that hold anything: mean probability beside the share that truly violates."""
    p, y, w = _arrays(probabilities, labels, weights)
    index = np.minimum((p * bins).astype(int), bins - 1)
    found: list[Bin] = []
    for i in range(bins):
        inside = index == i
        total = float(w[inside].sum())
        if total > 0:
            mean_p, share = (float((w[inside] * v[inside]).sum() / total) for v in (p, y))
            low, high = wilson(share, _looks(w[inside]))
            found.append(
                Bin(
                    low=i / bins,
                    high=(i + 1) / bins,
                    n=total,
                    count=int(inside.sum()),
                    mean_probability=mean_p,
                    share_violating=share,
                    share_low=low,
                    share_high=high,
                )
            )
    return found


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None, *, bins: int = BINS
) -> float | None:
    """ECE = sum over bins of their share times |mean probability - share violating|."""
    table = reliability(probabilities, labels, weights, bins=bins)
    total = sum(b["n"] for b in table)
    if total == 0:
        return None
    return sum(b["n"] / total * abs(b["mean_probability"] - b["share_violating"]) for b in table)


def at_thresholds(
    probabilities: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[AtThreshold]:
    """What would come of flagging every picture with p >= threshold."""
    p, y, w = _arrays(probabilities, labels, weights)
    return [_at(threshold, p, y, w) for threshold in thresholds]


def _at(threshold: float, p: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> AtThreshold:
    flagged = p >= threshold
    above, below, positive = w[flagged].sum(), w[~flagged].sum(), (w * y).sum()
    hits, misses = (w * y)[flagged].sum(), (w * y)[~flagged].sum()
    precision, recall = _ratio(hits, above), _ratio(hits, positive)
    return AtThreshold(
        threshold=threshold,
        flagged=float(above / w.sum()) if w.sum() else 0.0,
        precision=precision,
        precision_interval=_interval(precision, w[flagged]),
        recall=recall,
        recall_interval=_interval(recall, w[y == 1]),
        false_omission=_ratio(misses, below),
        false_discovery=_ratio(above - hits, above),
        n=int(flagged.sum()),
    )


def best_threshold(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """The threshold with the largest F1, the harmonic mean of precision and recall; of several the highest. None
    without both classes."""
    p, y, w = _arrays(probabilities, labels, weights)
    positive, negative = (side[::-1] for side in _by_score(p, y, w))
    if positive.sum() == 0 or negative.sum() == 0:
        return None
    f1 = 2 * np.cumsum(positive) / (np.cumsum(positive + negative) + positive.sum())
    return float(np.unique(p)[::-1][int(np.argmax(f1))])


def wilson(share: float, n: float, *, z: float = 1.959964) -> tuple[float, float]:
    """The interval that holds the true share in 95 of 100 samples of ``n`` looks (Wilson 1927); n need not be whole."""
    if n <= 0:
        return 0.0, 1.0
    centre, spread = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return float(max(0.0, (centre - spread) / scale)), float(min(1.0, (centre + spread) / scale))


def _interval(share: float | None, w: NDArray[np.float64]) -> list[float] | None:
    return None if share is None else list(wilson(min(max(share, 0.0), 1.0), _looks(w)))


def _looks(w: NDArray[np.float64]) -> float:
    """How many equal looks these weights are worth (Kish 1965): one that stands for many is still one look."""
    return float(w.sum() ** 2 / (w**2).sum()) if w.size and w.any() else 0.0


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _by_score(
    p: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight of positives and of negatives at each distinct score, lowest first."""
    _, where = np.unique(p, return_inverse=True)
    positive, negative = (np.bincount(where, weights=weight) for weight in (w * y, w * (1 - y)))
    return positive.astype(np.float64), negative.astype(np.float64)


def _arrays(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    w = np.ones_like(p) if weights is None else np.asarray(weights, dtype=np.float64)
    if not p.shape == y.shape == w.shape or p.ndim != 1:
        raise ValueError("probabilities, labels and weights must be as many")
    if not np.isin(y, (0.0, 1.0)).all() or not np.isfinite(p).all():
        raise ValueError("labels must be 0 or 1 and probabilities finite")
    return p, y, w
