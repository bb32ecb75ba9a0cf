"""Working hours, and when so much working time has passed. Pure: no Django, no clock.

All arithmetic is on instants; local times only say when a day's work begins and ends, so a day with a changed clock
is as long as it really is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)
HORIZON: Final = 3660  # days looked through; who works so little gets the plain time


@dataclass(frozen=True, slots=True)
class Hours:
    """When people work; Monday is 0. `closes` not after `opens` means the next day: equal ones, around the clock."""

    zone: ZoneInfo
    weekdays: frozenset[int]
    opens: time
    closes: time
    holidays: frozenset[date] = frozenset()

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of work from `start` on, in UTC, in order and without overlap."""
        begin = start.astimezone(UTC)
        first = begin.astimezone(self.zone).date() - DAY
        for number in range(HORIZON):
            day = first + number * DAY
            if day.weekday() not in self.weekdays or day in self.holidays:
                continue
            opens = datetime.combine(day, self.opens, self.zone).astimezone(UTC)
            last = day if self.closes > self.opens else day + DAY
            closes = datetime.combine(last, self.closes, self.zone).astimezone(UTC)
            if closes > begin:
                yield max(opens, begin), closes
                begin = closes


def after(start: datetime, work: timedelta, hours: Hours | None) -> datetime:
    """The first moment at which `work` of working time has passed since `start`; without hours people always work."""
    if hours is None:
        return start + work
    left = work
    for opens, closes in hours.spans(start):
        if closes - opens >= left:
            return opens + left
        left -= max(closes - opens, timedelta(0))
    return start + work
