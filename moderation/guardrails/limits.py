"""Control limits for a share of images, hour by hour: what is usual, and what is too far from it to be chance.

Two charts over the same hours. The p-chart looks at one hour and sees what leaps; the EWMA at a weighted mean of the
last hours and sees what creeps (S. W. Roberts, "Control Chart Tests Based on Geometric Moving Averages", Technometrics
1, 1959; λ = 0.2 as J. M. Lucas and M. S. Saccucci advise for small shifts, Technometrics 32, 1990).

Both go by a baseline of earlier hours. A share of many images moves more than the binomial law says, for hours differ:
D. B. Laney ("Improved Control Charts for Attributes", Quality Engineering 14, 2002) widens the limits by σz, the mean
moving range of the standardised shares over 1.128. It sees what changes from hour to hour; what changes slowly, as by
day and night, their own variance sees: `spread` is the larger of the two, squared, and never below 1. It rests on few
hours, so it is taken at the upper end of what those hours leave open (`SURE`, by Wilson and Hilferty).

Limits at three standard deviations are too narrow for rare outcomes, whose tail is long. Instead a share is outside
when n·KL(share, usual) / (spread·(1 + n/N)) ≥ ln(2/α), N being the images of the baseline, whose own error the last
factor allows for. For a binomial count whose true share is known this is Chernoff's bound (H. Chernoff, Annals of
Mathematical Statistics 23, 1952), so that its chance is at most α whatever the share and n; for spread counts it is the
same bound on the quasi-likelihood, and tests measure that it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from typing import Final

HOURS_A_MONTH: Final = 730
LOOKS: Final = 13  # at an hour: every five minutes while it lasts, and once when it is over
CHARTS: Final = 2
WEIGHT: Final = 0.2  # λ of the EWMA
MEMORY: Final = 24  # hours; of the one before these, the EWMA keeps half a per cent
FEWEST_HOURS: Final = 48
SURE: Final = 1.645  # one-sided 95 %
MOVING: Final = 1.128  # mean range of two standard normals


@dataclass(frozen=True, slots=True)
class Hour:
    """So many images, of which so many went one way."""

    images: int
    hits: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual: the share, the images it was found on, and how much more it moves than by chance alone (≥ 1)."""

    share: float
    images: int
    spread: float


@dataclass(frozen=True, slots=True)
class Budget:
    """How sure an alarm must be. Each test may fail by chance with α; over all of them that is `a_month` false alarms
    a month at most, half of them by each chart (a union bound, so the true number is lower).
    """

    a_month: float
    series: int

    @property
    def share_of_hour(self) -> float:
        return self.a_month / (CHARTS * HOURS_A_MONTH * max(self.series, 1))

    @property
    def leap(self) -> float:
        """α of one look at one hour by the p-chart."""
        return self.share_of_hour / LOOKS

    @property
    def creep(self) -> float:
        """α of one hour by the EWMA."""
        return self.share_of_hour


def baseline(hours: Sequence[Hour]) -> Baseline | None:
    """None while there are too few hours with images to tell what is usual."""
    full = [hour for hour in hours if hour.images]
    if len(full) < FEWEST_HOURS:
        return None
    images, hits = sum(hour.images for hour in full), sum(hour.hits for hour in full)
    share = (hits + 0.5) / (images + 1)  # never 0 or 1: none so far is not never
    scores = [(hour.hits - hour.images * share) / sqrt(hour.images * share * (1 - share)) for hour in full]
    return Baseline(share, images, spread(scores))


def spread(scores: Sequence[float]) -> float:
    moves = [abs(later - earlier) for earlier, later in pairwise(scores)]
    sigma = sum(moves) / len(moves) / MOVING
    free = len(scores) - 1
    variance = max(sigma**2, sum(score**2 for score in scores) / free)
    # The lower end of χ² over its degrees of freedom: E. B. Wilson and M. M. Hilferty, PNAS 17, 1931.
    least = (1 - 2 / (9 * free) - SURE * sqrt(2 / (9 * free))) ** 3
    return max(1.0, variance / least)


def divergence(share: float, usual: float) -> float:
    """Kullback and Leibler's, between two shares, in nats."""
    hit = share * log(share / usual) if share > 0 else 0.0
    miss = (1 - share) * log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return hit + miss


def reach(usual: Baseline, images: float, alpha: float) -> float:
    """How far a share of so many images may be from the usual one, as a divergence."""
    return log(2 / alpha) * usual.spread * (1 / images + 1 / usual.images)


def limits(usual: Baseline, images: float, alpha: float) -> tuple[float, float]:
    """The lowest and the highest share of so many images that chance explains."""
    most = reach(usual, images, alpha)
    return edge(usual.share, 0.0, most), edge(usual.share, 1.0, most)


def edge(usual: float, end: float, most: float) -> float:
    """Between the usual share and this end, where the divergence reaches `most`; the end itself when it never does."""
    if divergence(end, usual) <= most:
        return end
    near, far = usual, end
    for _halving in range(50):
        middle = (near + far) / 2
        if divergence(middle, usual) <= most:
            near = middle
        else:
            far = middle
    return near


def smoothed(hours: Sequence[Hour]) -> tuple[float, float] | None:
    """The EWMA of the shares, each hour weighing by its images too, oldest first; and on how many images it rests, in
    effect: (Σw)² / Σw². None without images.
    """
    weights = [(1 - WEIGHT) ** age for age in range(len(hours))]
    pairs = [(weight, hour) for weight, hour in zip(weights, reversed(hours), strict=True) if hour.images]
    total = sum(weight * hour.images for weight, hour in pairs)
    if not total:
        return None
    share = sum(weight * hour.hits for weight, hour in pairs) / total
    return share, total**2 / sum(weight**2 * hour.images for weight, hour in pairs)


def outside(usual: Baseline, share: float, images: float, alpha: float) -> int:
    """1 when the share is above its limits, −1 when it is below, 0 within."""
    if not images or divergence(share, usual.share) < reach(usual, images, alpha):
        return 0
    return 1 if share > usual.share else -1
