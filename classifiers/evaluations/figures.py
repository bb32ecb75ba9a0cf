"""All figures of one score vector, for many sets of weights at once: what bootstrap intervals are made of.

A resample is nothing but other weights, so the scores are sorted once and every figure is a sum. The figures are those
of ``classifiers.evaluation``, to rounding; NaN where one cannot be said.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from classifiers.evaluation import BINS
from classifiers.evaluations.samples import Floats

LEAST = 1e-12
HIGHER_IS_BETTER = {"auc": True, "ap": True, "log_loss": False, "brier": False, "ece": False}
AT_CUT = ("flagged", "precision", "recall", "false_positive_rate", "false_omission")
"""At a cut: the share at or above it; of those the share that violates; of the violating and of the harmless the share
at or above it; and of those below it the share that violates."""


class Figures:
    """Of probabilities ``p`` [N] and labels ``y`` [N]. ``cuts``: name -> threshold, at which ``AT_CUT`` are told as
    ``name.flagged`` and so on."""

    def __init__(self, p: Floats, y: Floats, cuts: Mapping[str, float] | None = None) -> None:
        self.y = y
        self.order = np.argsort(p, kind="stable")
        ranked = p[self.order]
        self.starts = np.flatnonzero(np.concatenate([[True], np.diff(ranked) != 0])) if len(p) else np.zeros(0, int)
        inside = np.clip(p, LEAST, 1 - LEAST)
        self.per_label = np.stack([-(y * np.log(inside) + (1 - y) * np.log1p(-inside)), (p - y) ** 2], axis=1)
        bins = np.zeros((len(p), BINS))
        bins[np.arange(len(p)), np.minimum((p * BINS).astype(int), BINS - 1)] = 1.0
        self.gaps = bins * (p - y)[:, None]
        self.above = {name: (p >= cut).astype(np.float64) for name, cut in (cuts or {}).items()}

    def of(self, w: Floats) -> dict[str, Floats]:
        """Each figure [B] under the weights [B, N]."""
        total = w.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            said = dict(zip(("auc", "ap"), self._ranking(w), strict=True))
            said |= dict(zip(("log_loss", "brier"), (w @ self.per_label / total[:, None]).T, strict=True))
            # of a bin: weight times |mean probability - share violating| = |sum of w (p - y)|
            said["ece"] = np.abs(w @ self.gaps).sum(axis=1) / total
            for name, above in self.above.items():
                said |= {f"{name}.{key}": found for key, found in self._at(above, w, total).items()}
        return said

    def _ranking(self, w: Floats) -> tuple[Floats, Floats]:
        if not len(self.starts):
            return np.full(len(w), np.nan), np.full(len(w), np.nan)
        ranked, y = w[:, self.order], self.y[self.order]
        positive = np.add.reduceat(ranked * y, self.starts, axis=1)
        negative = np.add.reduceat(ranked * (1 - y), self.starts, axis=1)
        harm, rest = positive.sum(axis=1), negative.sum(axis=1)
        below = np.cumsum(negative, axis=1) - negative
        auc = (positive * (below + negative / 2)).sum(axis=1) / (harm * rest)
        hits = np.cumsum(positive[:, ::-1], axis=1)
        seen = hits + np.cumsum(negative[:, ::-1], axis=1)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return auc, (precision * positive[:, ::-1]).sum(axis=1) / harm

    def _at(self, above: Floats, w: Floats, total: Floats) -> dict[str, Floats]:
        flagged, hits, harm = w @ above, w @ (above * self.y), w @ self.y
        return {
            "flagged": flagged / total,
            "precision": hits / flagged,
            "recall": hits / harm,
            "false_positive_rate": (flagged - hits) / (total - harm),
            "false_omission": (harm - hits) / (total - flagged),
        }


def defined(value: float | None) -> float | None:
    """As JSON has it: None for what cannot be said."""
    return None if value is None or not np.isfinite(value) else float(value)
