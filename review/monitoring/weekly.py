"""The figures week by week, from the days' counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from review.estimates.tallies import Tally
from review.estimates.totals import Quality
from review.models import AuditTally

WEEK: Final = 7
SETTLED: Final = 0.9  # of what was drawn, answered: below it a week's figures may still move


@dataclass(frozen=True, slots=True)
class Week:
    """`start` is a Monday. `waiting`: drawn or sent to people, and not settled yet."""

    start: date
    quality: Quality
    waiting: int
    unlotted: int

    @property
    def provisional(self) -> bool:
        return self.waiting > (1 - SETTLED) * (self.waiting + self.quality.n)


@dataclass(frozen=True, slots=True)
class Course:
    """The weeks of a group (of all images: ""), oldest first, and the whole of them by category."""

    weeks: Sequence[Week]
    whole: Tally
    waiting: int
    unlotted: int

    @property
    def categories(self) -> list[str]:
        return sorted(self.whole.categories)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def course(*, today: date, weeks: int, category: str = "", group: str = "") -> Course:
    """One query, of a row a day."""
    first = monday(today) - timedelta(days=WEEK * (weeks - 1))
    by_week: dict[date, list[AuditTally]] = defaultdict(list)
    for row in AuditTally.objects.filter(group=group, day__gte=first, day__lte=today):
        by_week[monday(row.day)].append(row)
    found, whole, waiting, unlotted = [], Tally(), 0, 0
    for step in range(weeks):
        start = first + timedelta(days=WEEK * step)
        rows = by_week.get(start, [])
        tally = Tally.over(Tally.load(row.counts) for row in rows)
        here, never = sum(row.waiting for row in rows), sum(row.unlotted for row in rows)
        found.append(Week(start, tally.quality(category), here, never))
        whole.take(tally)
        waiting, unlotted = waiting + here, unlotted + never
    return Course(found, whole, waiting, unlotted)


def by_group(*, today: date, weeks: int, kind: str, most: int) -> list[tuple[str, Quality]]:
    """Of each client (`kind` "client", by key) or generator ("generator", by name), those with the most images; of any
    harm. One query, of at most `counting.MOST_GROUPS` rows a day.
    """
    first = monday(today) - timedelta(days=WEEK * (weeks - 1))
    found: dict[str, Tally] = defaultdict(Tally)
    for row in AuditTally.objects.filter(group__startswith=f"{kind}:", day__gte=first, day__lte=today).iterator():
        found[row.group.partition(":")[2]].take(Tally.load(row.counts))
    told = [(name, tally.quality()) for name, tally in found.items()]
    return sorted(told, key=lambda one: -one[1].images)[:most]
