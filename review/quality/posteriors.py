"""What is known of a share after some trials: the Beta posterior under Jeffreys' prior. Pure, without scipy, which the
web process does not load.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

JEFFREYS: Final = 0.5
TINY: Final = 1e-300
STEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Posterior:
    """Of a share with `hits` of `trials`: Beta(hits + ½, misses + ½), Jeffreys' prior for a binomial share (Brown, Cai
    & DasGupta 2001, Interval estimation for a binomial proportion). Hits may be weighted, so not whole.
    """

    hits: float
    trials: float

    @property
    def a(self) -> float:
        return self.hits + JEFFREYS

    @property
    def b(self) -> float:
        return self.trials - self.hits + JEFFREYS

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, equal tails; to the very end where nothing, or everything, was hit, as the same paper advises."""
        low = 0.0 if self.hits <= 0 else beta_quantile(0.025, self.a, self.b)
        high = 1.0 if self.hits >= self.trials else beta_quantile(0.975, self.a, self.b)
        return low, high

    @property
    def low(self) -> float:
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]


def beta_quantile(share: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = `share`. I is monotone, so a bracket closes around x: by Newton's step where it stays
    inside, else by halving.
    """
    low, high, x = 0.0, 1.0, a / (a + b)
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _step in range(200):
        above = beta_cdf(x, a, b) - share
        low, high = (low, x) if above > 0 else (x, high)
        density = math.exp(constant + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)) if 0 < x < 1 else 0.0
        to = x - above / density if density > TINY else low
        if not low < to < high:
            to = (low + high) / 2
        if abs(to - x) <= 4e-16 + 1e-14 * x or high - low <= 4e-16:
            return to
        x = to
    return x


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22), evaluated as Lentz
    (1976) does.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # there the fraction converges slowly, and its mirror image fast
        return 1 - beta_cdf(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front * fraction(x, a, b) / a


def fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for term in (even, odd):
            d = 1 / away_from_zero(1 + term * d)
            c = away_from_zero(1 + term / c)
            value *= c * d
        if abs(value - before) < 1e-15 * abs(value):
            break
    return value


def away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
