"""What people were exposed to, added up: each sees their own; of others, only what five or more have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import Count, Sum
from django.db.models.functions import TruncDay, TruncWeek
from django.utils import timezone

from moderation.models import User
from moderation.taxonomy import Severity
from review.models import Exposure

DAYS: Final = 28  # of one's own exposure, shown
WEEKS: Final = 8  # of everybody's
FEWEST: Final = 5  # people without whom nothing is said about a group


@dataclass(slots=True)
class Day:
    """One person's looks of one day, UTC. Seconds by severity, S0 … S4."""

    date: date
    seconds: list[float] = field(default_factory=lambda: [0.0] * len(Severity))
    looks: int = 0
    weighted: float = 0

    @property
    def total(self) -> float:
        return sum(self.seconds)


@dataclass(frozen=True, slots=True)
class Week:
    """A whole week of a group: minutes for each person who saw images of that severity. None: of fewer than FEWEST
    people, so nothing is said. There is no sum over severities: it would give the missing one away.
    """

    begins: date
    minutes: Sequence[int | None]


def by_day(person: User, *, days: int = DAYS, now: datetime | None = None) -> list[Day]:
    """Every one of the last days, today included, oldest first. One query."""
    today = (now or timezone.now()).astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    found = {first + timedelta(days=number): Day(first + timedelta(days=number)) for number in range(days)}
    hours = Exposure.objects.filter(reviewer=person, hour__date__gte=first)
    rows = hours.annotate(day=TruncDay("hour", tzinfo=UTC)).values_list("day", "severity")
    for day, severity, looks, seconds, weighted in rows.annotate(Sum("looks"), Sum("seconds"), Sum("weighted")):
        if one := found.get(day.date()):
            one.seconds[severity] += seconds
            one.looks += looks
            one.weighted += weighted
    return list(found.values())


def together(*, weeks: int = WEEKS, now: datetime | None = None) -> list[Week]:
    """Whole weeks of everybody, newest first; weeks of which nothing may be said are left out. One query.

    A week that is not over is not told: read twice, it would tell what one person did in between. Minutes are rounded
    to five, so that one person's part is not read off the mean.
    """
    today = (now or timezone.now()).astimezone(UTC).date()
    this_week = today - timedelta(days=today.weekday())
    since = datetime.combine(this_week - timedelta(weeks=weeks), datetime.min.time(), UTC)
    until = datetime.combine(this_week, datetime.min.time(), UTC)
    rows = Exposure.objects.filter(hour__gte=since, hour__lt=until).annotate(week=TruncWeek("hour", tzinfo=UTC))
    summed: Mapping[date, list[int | None]] = defaultdict(lambda: [None] * len(Severity))
    for week, severity, people, seconds in rows.values_list("week", "severity").annotate(
        Count("reviewer", distinct=True), Sum("seconds")
    ):
        if people >= FEWEST:
            summed[week.date()][severity] = 5 * round(seconds / people / 300)
    return [Week(begins, minutes) for begins, minutes in sorted(summed.items(), reverse=True)]
