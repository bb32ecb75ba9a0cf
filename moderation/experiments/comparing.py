"""Two plans over the hours in which both routed images: how much each blocks, approves and sends to people.

Counts are kept by the hour, so an experiment is read from its first full hour to its last. In the hours of a rollout a
lot drew which plan each image followed; the hour in which one plan merely replaced the other is no hour of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import Sum
from django.utils import timezone

from moderation.experiments.sequences import Arm, Difference, difference
from moderation.models import OutcomeCount

Name = Literal["block", "approve", "review", "wrong_approval", "wrong_block"]
ROUTED: Final[Mapping[Name, str]] = {"block": "blocked", "approve": "approved", "review": "reviewed"}
AUDITED: Final[tuple[Name, ...]] = ("wrong_approval", "wrong_block")
MEASURES: Final[tuple[Name, ...]] = (*ROUTED, *AUDITED)
ALPHA: Final = 0.05  # for all measures together, at all looks together
SAME: Final = 0.01  # an interval within this of 0 says that it makes no difference that matters
USUAL_DAYS: Final = 14
LONGEST: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of both plans; its interval holds at every look, together with those of the other measures."""

    name: Name
    first: Arm
    second: Arm
    difference: Difference

    @property
    def verdict(self) -> Literal["higher", "lower", "same", "open"]:
        """Of the second plan beside the first."""
        if side := self.difference.told_apart:
            return "higher" if side > 0 else "lower"
        return "same" if self.difference.low > -SAME and self.difference.high < SAME else "open"


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours that both plans routed images in, as full hours from `since`, and what became of the images."""

    since: datetime | None
    until: datetime | None
    count: int
    totals: Mapping[int, Mapping[str, int]]

    def arm(self, plan: int, column: str) -> Arm:
        found = self.totals.get(plan, {})
        return Arm(sum(found.values()), found.get(column, 0))


def hours_of(first: int, second: int, *, now: datetime | None = None) -> Hours:
    """One query, whose cost goes with hours, clients and categories; never with images."""
    columns = (*ROUTED.values(), "quarantined")
    now = now or timezone.now()
    rows: Iterable[Mapping[str, Any]] = (
        OutcomeCount.objects.filter(plan__in=[first, second], hour__gte=now - LONGEST)
        .values("hour", "plan")
        .annotate(**{f"sum_{column}": Sum(column) for column in columns})
    )
    by_hour: dict[datetime, dict[int, dict[str, int]]] = {}
    for row in rows:
        amounts = {column: int(row[f"sum_{column}"]) for column in columns}
        by_hour.setdefault(row["hour"], {})[row["plan"]] = amounts
    shared = sorted(hour for hour, plans in by_hour.items() if len(plans) == 2)[1:]
    if shared and shared[-1] + timedelta(hours=1) <= now:
        shared.pop()  # it may have ended within that hour
    totals = {
        plan: {column: sum(by_hour[hour][plan][column] for hour in shared) for column in columns}
        for plan in (first, second)
        if shared and first != second
    }
    if not totals:
        return Hours(None, None, 0, {})
    return Hours(shared[0], shared[-1] + timedelta(hours=1), len(shared), totals)


def usual_of(column: str, before: datetime) -> float | None:
    """The share of all images in the days before: where the mixture is centred, fixed before the first image counts."""
    columns = (*ROUTED.values(), "quarantined")
    found = OutcomeCount.objects.filter(
        hour__lt=before - timedelta(hours=1), hour__gte=before - timedelta(days=USUAL_DAYS)
    ).aggregate(**{f"sum_{each}": Sum(each) for each in columns})
    total = sum(found[f"sum_{each}"] or 0 for each in columns)
    return (found[f"sum_{column}"] or 0) / total if total else None


def compared(first: int, second: int, hours: Hours, audited: Mapping[tuple[int, Name], Arm]) -> Sequence[Measured]:
    """Every measure at a fifth of ALPHA, so that all of them hold together (Bonferroni). `audited`: of the machine's
    approvals and blocks that people looked at again, how many were wrong.
    """
    empty, found = Arm(0, 0), []
    for name in MEASURES:
        column = ROUTED.get(name)
        if column is not None:
            arms = (hours.arm(first, column), hours.arm(second, column))
            usual = usual_of(column, hours.since) if hours.since else None
        else:
            arms, usual = (audited.get((first, name), empty), audited.get((second, name), empty)), None
        found.append(Measured(name, *arms, difference(*arms, alpha=ALPHA / len(MEASURES), usual=usual)))
    return found
