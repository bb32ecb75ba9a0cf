"""The curve from a head's logit to a probability: which there are, how each is fitted, and which one is chosen.

Temperature and Platt scaling are always tried, isotonic regression where labels are many. Each is fitted on four fifths
of the labels and judged by its log loss on the fifth it has not seen, in turn; the curve with the least loss over all
five is then fitted to all labels. numpy only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers import isotonic
from classifiers.isotonic import Knots

METHODS = ("temperature", "platt", "isotonic")  # the simplest first: it wins a tie
FOLDS = 5
ISOTONIC_FROM = 1000
ISOTONIC_RARER_FROM = 100
"""Isotonic regression needs so many labels in all, and so many of the rarer class; below, it learns the noise."""
CHOOSE_FROM = 10
"""Labels of the rarer class from which a choice by held-out loss means anything; below, it is Platt scaling."""

_NEWTON_STEPS = 100
_MIN_EACH = 2
"""Fewer labels of either class than this cannot say anything about the shape of the curve."""
_LEAST = 1e-12


class CalibrationError(ValueError):
    """The scores or labels cannot be calibrated. The message says why."""


def sigmoid(z: ArrayLike) -> NDArray[np.float64]:
    """Logistic function without overflow."""
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, e) / (1.0 + e))


@dataclass(frozen=True, slots=True)
class Calibration:
    """p = sigmoid(scale * logit + shift), or, with ``knots``, the line through them. It never falls.

    ``method``: ``none``, ``temperature`` (only the scale, 1/T, is fitted), ``platt``, ``isotonic`` or ``prior``. An
    isotonic one keeps the scale and shift of the Platt curve beside it, which a later calibration may start from.
    """

    scale: float = 1.0
    shift: float = 0.0
    method: str = "none"
    knots: Knots = ()

    def __post_init__(self) -> None:
        if fault := isotonic.check(self.knots):
            raise CalibrationError(fault)

    def apply(self, logits: ArrayLike) -> NDArray[np.float64]:
        """Probabilities in [0, 1], same shape as ``logits``."""
        z = np.asarray(logits, dtype=np.float64)
        if not self.knots:
            return sigmoid(self.scale * z + self.shift)
        table = np.asarray(self.knots)
        return np.asarray(np.interp(z, table[:, 0], table[:, 1]), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Choice:
    """A calibration, the mean log loss on held-out labels of each method tried (none: too few to compare), and of how
    many labels."""

    calibration: Calibration
    held_out: Mapping[str, float]
    n: int
    positives: int


def calibrate(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    method: str = "",
    prior: Calibration | None = None,
    prior_weight: float = 0.0,
    folds: ArrayLike | None = None,
) -> Calibration:
    """The curve from logits [N] to the probability of label 1, from labels never used to fit the head.

    Without a ``method`` the best of ``METHODS`` is chosen; see ``choose``. Raises CalibrationError for values that are
    not finite, labels other than 0 and 1, or unequal lengths.
    """
    if method and method not in METHODS:
        raise CalibrationError(f"unknown method {method!r}: use {', '.join(METHODS)}")
    if not method:
        return choose(logits, labels, weights=weights, prior=prior, prior_weight=prior_weight, folds=folds).calibration
    return _fit(method, *_checked(logits, labels, weights), prior=prior, prior_weight=prior_weight)


def choose(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    prior: Calibration | None = None,
    prior_weight: float = 0.0,
    folds: ArrayLike | None = None,
) -> Choice:
    """The method with the least log loss on labels it was not fitted to, fitted to all of them.

    ``folds`` [N] says which labels belong together (near-duplicates must); without it they are dealt out by class.
    """
    z, y, w = _checked(logits, labels, weights)
    positives = int((y == 1).sum())
    rarer = min(positives, len(y) - positives)
    if rarer < CHOOSE_FROM:
        return Choice(_fit("platt", z, y, w, prior=prior, prior_weight=prior_weight), {}, len(y), positives)
    many = len(y) >= ISOTONIC_FROM and rarer >= ISOTONIC_RARER_FROM
    methods = METHODS if many else METHODS[:-1]
    fold = _dealt(y) if folds is None or len(np.unique(folds)) < 2 else np.asarray(folds)
    held_out = dict.fromkeys(methods, 0.0)
    for one in np.unique(fold):
        rest, here = fold != one, fold == one
        for method in methods:
            found = _fit(method, z[rest], y[rest], w[rest], prior=prior, prior_weight=prior_weight)
            held_out[method] += log_loss(found.apply(z[here]), y[here], w[here]) * w[here].sum() / w.sum()
    best = min(methods, key=held_out.__getitem__)
    return Choice(_fit(best, z, y, w, prior=prior, prior_weight=prior_weight), held_out, len(y), positives)


def log_loss(p: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    """Weighted mean of -log of the probability given to what turned out to be so; 0 for no labels."""
    p = np.clip(p, _LEAST, 1 - _LEAST)
    return float(-(w * (y * np.log(p) + (1 - y) * np.log1p(-p))).sum() / w.sum()) if w.sum() > 0 else 0.0


def _dealt(y: NDArray[np.float64]) -> NDArray[np.int64]:
    """A fold for each label, as many of each class in every fold, the same every time."""
    fold = np.empty(len(y), dtype=np.int64)
    rng = np.random.default_rng(0)
    for value in (0, 1):
        here = rng.permutation(np.flatnonzero(y == value))
        fold[here] = np.arange(len(here)) % FOLDS
    return fold


def _fit(
    method: str,
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    *,
    prior: Calibration | None,
    prior_weight: float,
) -> Calibration:
    """One curve by one method.

    ``platt``: both parameters by Newton's method on the log loss, with the smoothed targets of Platt 1999
    (as in Lin, Lin & Weng 2007), so a perfectly separable set gives a finite slope. ``temperature``: the slope only.
    ``isotonic``: on the same targets, so no probability is 0 or 1. With a ``prior`` the parameters are drawn to those
    of the earlier calibration as strongly as ``prior_weight`` labels would (ridge on slope and shift), which is what
    keeps a dozen new labels from overturning thousands.

    Degenerate sets are answered honestly: no label gives the prior (or the identity); labels of one class only, or
    fewer than two of either, say nothing about the slope, which is kept while the level moves (``method="prior"``).
    """
    start = prior or Calibration()
    positives, negatives = float(w[y == 1].sum()), float(w[y == 0].sum())
    if len(z) == 0 or positives + negatives == 0:
        return start
    thin = min(int((y == 1).sum()), int((y == 0).sum())) < _MIN_EACH
    smoothed = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    free = np.array([not thin, method != "temperature" or thin])
    ridge = np.full(2, prior_weight if prior is not None else 1e-6)
    # One unit of slope moves a logit by the spread of the logits, so the slope's ridge is in those units.
    ridge[0] *= max(float(np.average(z**2, weights=w)), 1e-6)
    if thin:
        ridge[1] = max(ridge[1], 1.0)
    scale, shift = _newton(z, smoothed, w, np.array([start.scale, start.shift]), ridge=ridge, free=free)
    if scale <= 0:
        # The head ranks the wrong way round on these labels. A negative slope would make "more violating" mean "safer".
        return replace(start, method="prior")
    found = Calibration(float(scale), float(shift), "prior" if thin else method)
    return replace(found, knots=isotonic.isotonic(z, smoothed, w)) if found.method == "isotonic" else found


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
