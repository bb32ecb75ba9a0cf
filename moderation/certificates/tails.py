"""The exact lower tail of a binomial, in logarithms, without scipy, which the web process does not load."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

TERMS: Final = 40  # standard deviations below k: what lies further down is less than a double can tell


def binomial_tail(k: int, n: int, share: float) -> float:
    """P(Bin(n, share) ≤ k), exact but for rounding. The terms are summed downwards from k, each from the one above it:
    P(j−1) = P(j) · j / (n−j+1) · (1−share) / share.
    """
    if k >= n or share <= 0:
        return 1.0
    if k < 0 or share >= 1:
        return 0.0
    first = log_mass(k, n, share)
    reach = min(k, int(TERMS * math.sqrt(n * share * (1 - share))) + 200 + max(0, k - int(n * share)))
    j = np.arange(k, k - reach, -1, dtype=np.float64)
    steps = np.cumsum(np.log(j) - np.log(n - j + 1)) + np.arange(1, reach + 1) * (math.log1p(-share) - math.log(share))
    highest = max(0.0, float(steps.max())) if reach else 0.0
    logarithm = first + highest + math.log(math.exp(-highest) + float(np.exp(steps - highest).sum()))
    return min(1.0, math.exp(min(0.0, logarithm)))


def log_mass(k: int, n: int, share: float) -> float:
    """ln P(Bin(n, share) = k)."""
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(share) + (n - k) * math.log1p(-share)


def sample_size(alpha: float, delta: float, k: int = 0) -> int:
    """The fewest audits, `k` violations among them, that show a share of at most `alpha` with confidence 1 − `delta`:
    the smallest n with P(Bin(n, alpha) ≤ k) ≤ delta. The tail falls as n grows, so halving finds it.
    """
    low, high = k + 1, 2 * (k + 1)
    while binomial_tail(k, high, alpha) > delta:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if binomial_tail(k, middle, alpha) <= delta:
            high = middle
        else:
            low = middle + 1
    return low
