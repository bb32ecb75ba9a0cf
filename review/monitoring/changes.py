"""Whether a share has changed, looked at every day for as long as one likes. Pure.

For each day on which it may have changed, the days before and since are two arms; the likelihood averaged over their
shares, over the greatest with one share for both, is an e-process (`moderation.experiments.sequences`): while nothing
changes its mean is at most 1 at every moment. So is the mean of these over the days of a span fixed beforehand, in
which the days to come count as 1. By Ville's inequality it ever reaches 1/α within the span with probability α at most,
whoever looks how often. (So J. Shin, A. Ramdas & A. Rinaldo, "E-detectors", New England Journal of Statistics in Data
Science 2, 2023, mix over the change; an adaptive window, as A. Bifet & R. Gavaldà's ADWIN, SDM 2007, looks at the same
cuts, with a bound for each.) It is assumed that decisions come one by one: a burst of like ones counts for more than it
is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import exp, log
from typing import Final

from moderation.experiments.sequences import Arm, evidence

SPAN: Final = 184  # days: the longer half of a year


@dataclass(frozen=True, slots=True)
class Day:
    """Of so many looked at, so many are hits."""

    day: date
    of: int
    hits: int


@dataclass(frozen=True, slots=True)
class Change:
    """`evidence` as the logarithm of the e-process at the last day; `since`, the likeliest day of a change, and the
    arms before and from it. None before there are two days.
    """

    evidence: float
    since: date | None
    before: Arm
    after: Arm

    @property
    def rising(self) -> bool:
        return (self.after.share or 0.0) > (self.before.share or 0.0)


def change(days: Sequence[Day]) -> Change:
    """Of the days of one span, oldest first; days without any are left out at no cost."""
    counted = [one for one in days if one.of]
    whole = Arm(sum(one.of for one in counted), sum(one.hits for one in counted))
    if not counted:
        return Change(0.0, None, whole, Arm(0, 0))
    logs, arms = [], []
    before = Arm(0, 0)
    for one in counted[:-1]:
        before = Arm(before.images + one.of, before.hits + one.hits)
        after = Arm(whole.images - before.images, whole.hits - before.hits)
        arms.append((before, after))
        logs.append(evidence(before, after))
    if not logs:
        return Change(0.0, None, whole, Arm(0, 0))
    # A change on a day without any is the same as on the next one that has some.
    weights = [(later.day - one.day).days for one, later in pairwise(counted)]
    highest = max(0.0, *logs)
    total = sum(weight * exp(each - highest) for weight, each in zip(weights, logs, strict=True))
    rest = max(SPAN - sum(weights), 0) * exp(-highest)
    best = max(range(len(logs)), key=logs.__getitem__)
    return Change(highest + log((total + rest) / max(SPAN, sum(weights))), counted[best + 1].day, *arms[best])


def span_of(day: date) -> date:
    """The first day of the half year in which a day lies: with each, the doubt begins anew."""
    return date(day.year, 1 if day.month < 7 else 7, 1)
