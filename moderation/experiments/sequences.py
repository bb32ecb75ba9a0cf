"""Confidence sequences for the difference of two shares: intervals that hold at every look at once.

An interval made for one look is wrong when somebody looks daily and stops at a lucky moment. These are made for
looking: with probability 1 − α the truth lies in the interval at every moment, from the first image on, so that one may
look whenever, and stop or go on for whatever reason.

How: for each arm and each conceivable share p, the mixture likelihood ratio

    M(p) = ∫ q^x (1−q)^(n−x) w(q) dq / (p^x (1−p)^(n−x))

is a martingale of mean 1 when p is the truth, whatever the mixture w that was fixed beforehand (H. Robbins,
"Statistical Methods Related to the Law of the Iterated Logarithm", Annals of Mathematical Statistics 41, 1970). So is
the product over both arms, and by Ville's inequality (J. Ville, 1939) it ever reaches 1/α with probability α at most. A
difference d is in the interval as long as some pair of shares that differ by d keeps the product below 1/α; the exact
sets of Turner and Grünwald ("Exact Anytime-valid Confidence Intervals for Contingency Tables and Beyond", Statistics &
Probability Letters 198, 2023) are of this kind. Nothing here is asymptotic: it holds for rare outcomes and few images.

The mixture is half Jeffreys' Beta(½, ½), half a Beta around the share that was usual before (`STRENGTH` images' worth),
where one is known: the closer to it the truth is, the narrower the interval; it holds wherever the truth is. The price
of looking freely is width: about twice that of an interval for a single look.

It is assumed that which plan an image follows is drawn by lot, image by image. Then shares that move with the hour and
bursts of like images, which meet both arms alike, do no harm to the verdict on the difference; tests plant both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, lgamma, log, log1p
from typing import Final

STRENGTH: Final = 500.0
STEPS: Final = 60
LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Arm:
    """So many images, of which so many went the way in question."""

    images: int
    hits: int

    @property
    def share(self) -> float | None:
        return self.hits / self.images if self.images else None


@dataclass(frozen=True, slots=True)
class Difference:
    """The second arm's share less the first's, between `low` and `high` with the stated probability at every look;
    `estimate` is None while an arm is empty.
    """

    estimate: float | None
    low: float
    high: float

    @property
    def told_apart(self) -> int:
        """1: the second is higher; −1: lower; 0: not told apart so far."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


def difference(first: Arm, second: Arm, *, alpha: float, usual: float | None = None) -> Difference:
    """Holds at all looks together with probability 1 − α."""
    if first.share is None or second.share is None:
        return Difference(None, -1.0, 1.0)
    middle = second.share - first.share
    allowed = log(1 / alpha)

    def within(apart: float) -> bool:
        return evidence(first, second, apart, usual=usual) < allowed

    return Difference(middle, bound(middle, -1.0, within), bound(middle, 1.0, within))


def bound(inner: float, outer: float, within: Callable[[float], bool]) -> float:
    """Between an inner point that is within and an outer one, where it ends; never inside of the truth."""
    if within(outer):
        return outer
    for _halving in range(STEPS):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if within(middle) else (inner, middle)
    return outer


def evidence(first: Arm, second: Arm, apart: float = 0.0, *, usual: float | None = None) -> float:
    """Against a difference of exactly `apart`, in nats: its exponential is an e-value at every moment, and e to the
    minus of the greatest so far bounds an anytime-valid p-value.
    """
    return mixture(first, usual) + mixture(second, usual) - likeliest(first, second, apart)


def mixture(arm: Arm, usual: float | None) -> float:
    """The logarithm of the arm's likelihood, averaged over the mixture."""
    vague = averaged(arm, 0.5, 0.5)
    if usual is None or not 0 < usual < 1:
        return vague
    informed = averaged(arm, STRENGTH * usual, STRENGTH * (1 - usual))
    high, low = max(vague, informed), min(vague, informed)
    return high + log1p(2.718281828459045 ** (low - high)) - log(2)


def averaged(arm: Arm, hits: float, misses: float) -> float:
    return betaln(arm.hits + hits, arm.images - arm.hits + misses) - betaln(hits, misses)


def betaln(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def likeliest(first: Arm, second: Arm, apart: float) -> float:
    """The greatest logarithm of the likelihood among the pairs (p, p + apart). It is concave in p: halving finds it."""
    low, high = max(0.0, -apart), min(1.0, 1.0 - apart)
    for _halving in range(STEPS):
        middle = (low + high) / 2
        if slope(first, middle) + slope(second, middle + apart) > 0:
            low = middle
        else:
            high = middle
    middle = (low + high) / 2
    return loglikelihood(first, middle) + loglikelihood(second, middle + apart)


def slope(arm: Arm, share: float) -> float:
    misses = arm.images - arm.hits
    up = arm.hits / max(share, LEAST) if arm.hits else 0.0
    return up - (misses / max(1 - share, LEAST) if misses else 0.0)


def loglikelihood(arm: Arm, share: float) -> float:
    misses = arm.images - arm.hits
    if (arm.hits and share <= 0) or (misses and share >= 1):
        return -inf
    hit = arm.hits * log(share) if arm.hits else 0.0
    return hit + (misses * log1p(-share) if misses else 0.0)
