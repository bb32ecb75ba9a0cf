"""The counts as series an hour: of each plan, client, classifier and category, how much was blocked and approved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from moderation.guardrails.limits import Hour
from moderation.guardrails.settings import Measure

MOST: Final = 200  # series watched: those with the most images
HOUR: Final = timedelta(hours=1)
COUNTS: Final = """
SELECT CASE WHEN grouping(plan) = 0 THEN 'plan' WHEN grouping(client_id) = 0 THEN 'client'
        WHEN grouping(category) = 0 THEN 'category' WHEN grouping(name) = 0 THEN 'classifier' ELSE 'all' END,
    coalesce(plan::text, client_id::text, category, name, ''), hour, sum(approved + reviewed + blocked + quarantined),
    sum(blocked), sum(approved)
FROM (SELECT *, split_part(classifier, '@', 1) AS name FROM moderation_outcomecount WHERE hour >= %s AND hour <= %s) c
GROUP BY GROUPING SETS ((hour), (hour, plan), (hour, client_id), (hour, category), (hour, name))
"""


@dataclass(frozen=True, slots=True)
class Counted:
    images: int
    blocked: int
    approved: int

    def hour(self, measure: Measure) -> Hour:
        return Hour(self.images, self.blocked if measure == "block" else self.approved)


NONE: Final = Counted(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Series:
    """By the hour. Of a plan or client: its images. Of a classifier or category: all images; what it blocked; and, as
    approved, what it did
    not stop.
    """

    scope: str
    key: str
    counted: Mapping[datetime, Counted]

    def hours(self, since: datetime, until: datetime, measure: Measure) -> list[Hour]:
        """Every hour from `since` up to and with `until`."""
        return [self.counted.get(at, NONE).hour(measure) for at in span(since, until)]

    @property
    def images(self) -> int:
        return sum(one.images for one in self.counted.values())


def span(since: datetime, until: datetime) -> list[datetime]:
    return [since + HOUR * step for step in range(int((until - since) / HOUR) + 1)]


def read(since: datetime, until: datetime) -> tuple[Series, list[Series]]:
    """Of everything together, and the series to watch, those with the most images first. One query, whose cost goes
    with the hours and not with the images.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [since, until])
        rows = cursor.fetchall()
    found: dict[tuple[str, str], dict[datetime, Counted]] = defaultdict(dict)
    for scope, key, hour, images, blocked, approved in rows:
        found[scope, key][hour] = Counted(int(images), int(blocked), int(approved))
    everything = Series("all", "", found.pop(("all", ""), {}))
    series = [one_of(scope, key, counted, everything) for (scope, key), counted in found.items() if key]
    return everything, sorted(series, key=lambda one: (-one.images, one.scope, one.key))[:MOST]


def one_of(scope: str, key: str, own: Mapping[datetime, Counted], everything: Series) -> Series:
    if scope in {"plan", "client"}:
        return Series(scope, key, own)
    shared = {}
    for at, total in everything.counted.items():
        mine = own.get(at, NONE)
        shared[at] = Counted(total.images, mine.blocked, total.images - (mine.images - mine.approved))
    return Series(scope, key, shared)


def without(one: Series, other: Series) -> Series:
    """What is left of these counts without those of the other."""
    left = {}
    for at, total in one.counted.items():
        less = other.counted.get(at, NONE)
        left[at] = Counted(total.images - less.images, total.blocked - less.blocked, total.approved - less.approved)
    return Series(one.scope, one.key, left)
