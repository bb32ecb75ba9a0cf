"""Does a version betray what it was taught on? The loss-threshold attack, as an audit. numpy only.

Who knows a picture and its label guesses "it was in the training set" where the version's loss on it is low (Yeom,
Giacomelli, Fredrikson & Jha 2018, arXiv 1709.01604). The attack's AUC is 0.5 where it learns nothing; what counts is
how many members it names while it is hardly ever wrong (Carlini et al. 2022, arXiv 2112.03570): the TPR at an FPR of
0.1 %. With (ε, δ)-differential privacy no attack has a TPR above e^ε · FPR + δ, so one that has refutes the claim; one
that has not proves nothing.
"""

from __future__ import annotations

import math
from typing import Final, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.evaluation import wilson
from classifiers.evaluations.figures import LEAST
from classifiers.evaluations.resampling import SEED

FPR: Final = 0.001
FEWEST: Final = 30
REPLICATES: Final = 400


class Attack(TypedDict):
    """``members`` and ``others``: labels of the training and of the held-out split. ``auc`` with bootstrap limits;
    ``tpr`` at a false positive rate of at most ``fpr`` with Wilson's. ``resolved``: whether there are enough others
    (1 / fpr) for that rate to be met otherwise than by 0 of them."""

    members: int
    others: int
    auc: float
    auc_low: float
    auc_high: float
    tpr: float
    tpr_low: float
    tpr_high: float
    fpr: float
    resolved: bool
    advantage: float


class Bound(TypedDict):
    """``allowed``: the highest TPR that (ε, δ) allows at the attack's FPR. ``refuted``: even the lower limit of the
    measured one lies above it, at the upper limit of the FPR."""

    allowed: float
    refuted: bool


def losses(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """−ln of the probability given to what is so."""
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    p = np.clip(p, LEAST, 1 - LEAST)
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def attack(members: ArrayLike, others: ArrayLike, *, fpr: float = FPR, seed: int = SEED) -> Attack | None:
    """From losses on labels that taught the version and on some that did not; None with fewer than ``FEWEST`` of
    either. A lower loss is taken for membership."""
    inside, outside = np.asarray(members, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if min(len(inside), len(outside)) < FEWEST:
        return None
    place = _ranks(inside, outside)
    value = float(place.mean())
    rng = np.random.default_rng(seed)
    drawn = [_resampled(inside, outside, rng) for _ in range(REPLICATES)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    tpr, wrong = _at(inside, outside, fpr)
    tpr_low, tpr_high = wilson(tpr, len(inside))
    return Attack(
        members=len(inside),
        others=len(outside),
        auc=value,
        auc_low=float(low),
        auc_high=float(high),
        tpr=tpr,
        tpr_low=tpr_low,
        tpr_high=tpr_high,
        fpr=wrong,
        resolved=len(outside) * fpr >= 1,
        advantage=_advantage(inside, outside),
    )


def bound(found: Attack, *, epsilon: float, delta: float) -> Bound:
    """What the claim allows, beside what was found."""
    _low, worst = wilson(found["fpr"], found["others"])

    def allowed(rate: float) -> float:
        return 1.0 if epsilon > 50 else min(1.0, math.exp(epsilon) * rate + delta)

    return Bound(allowed=allowed(max(found["fpr"], FPR)), refuted=found["tpr_low"] > allowed(worst))


def _ranks(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each member, the share of others with a higher loss, ties counting half: their mean is the AUC."""
    ordered = np.sort(outside)
    above = len(ordered) - np.searchsorted(ordered, inside, side="right")
    equal = np.searchsorted(ordered, inside, side="right") - np.searchsorted(ordered, inside, side="left")
    return np.asarray((above + equal / 2) / len(ordered))


def _resampled(inside: NDArray[np.float64], outside: NDArray[np.float64], rng: np.random.Generator) -> float:
    return float(_ranks(rng.choice(inside, len(inside)), rng.choice(outside, len(outside))).mean())


def _at(inside: NDArray[np.float64], outside: NDArray[np.float64], fpr: float) -> tuple[float, float]:
    """TPR and FPR of the loosest threshold that names at most ``fpr`` of the others: members below the loss of the
    first other that may not be named."""
    may = math.floor(fpr * len(outside) + 1e-9)
    limit = np.partition(outside, may)[may]
    return float((inside < limit).mean()), float((outside < limit).mean())


def _advantage(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """The largest TPR − FPR over all thresholds."""
    cuts = np.unique(np.concatenate([inside, outside]))
    tpr = np.searchsorted(np.sort(inside), cuts, side="right") / len(inside)
    fpr = np.searchsorted(np.sort(outside), cuts, side="right") / len(outside)
    return float(np.max(tpr - fpr, initial=0.0))
