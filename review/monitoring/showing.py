"""What the monitoring page, the command and the API show: the newest readings, and how they came to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from moderation.guardrails import alarms
from moderation.guardrails.telling import sentence
from moderation.models import Alarm, Client, Level, Measure, Reading, Watched
from review.estimates.totals import Quality
from review.models import Measure as Counted
from review.models import QualityRollup
from review.monitoring import weekly
from review.monitoring.weekly import WEEK, monday

FIGURES: Final = (Measure.PRECISION, Measure.MISS_RATE, Measure.RECALL, Measure.PREVALENCE)
GROUPS: Final = 12
PAST: Final = 15
MOST_ALARMS: Final = 50


@dataclass(frozen=True, slots=True)
class Scored:
    """Of one version and category, both distances; None where nothing is known yet."""

    psi: Reading
    ks: Reading | None

    @property
    def level(self) -> str:
        """The graver of both."""
        found = {self.psi.level, self.ks.level if self.ks else ""}
        return next((one for one in (Level.ACT, Level.WATCH, Level.USUAL) if one in found), "")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The readings of the newest day, by what they are of; `made`: the latest of them, None before the first look."""

    readings: Sequence[Reading]

    @classmethod
    def now(cls) -> Snapshot:
        """One query."""
        newest = Reading.objects.order_by("-day").values("day")[:1]
        return cls(list(Reading.objects.filter(day=newest).order_by("measure", "subject", "key")))

    def of(self, *measures: str) -> list[Reading]:
        return [one for one in self.readings if one.measure in measures]

    def one(self, measure: str) -> Reading | None:
        return next(iter(self.of(measure)), None)

    @property
    def made(self) -> Any:
        return max((one.made_at for one in self.readings), default=None)

    @property
    def scores(self) -> list[Scored]:
        """The most distant first."""
        by_place = {(one.subject, one.key): one for one in self.of(Measure.KS)}
        rows = [Scored(one, by_place.get((one.subject, one.key))) for one in self.of(Measure.PSI)]
        return sorted(rows, key=lambda row: (row.psi.value is None, -(row.psi.value or 0.0)))

    @property
    def worst(self) -> str:
        found = {one.level for one in self.readings}
        return next((one for one in (Level.ACT, Level.WATCH, Level.USUAL) if one in found), "")


def generator_rows(snapshot: Snapshot) -> list[tuple[Mapping[str, Any], str]]:
    """Each generator version with how far it is beyond its line, "" where there is none for it."""
    shares = snapshot.one(Measure.SHARES)
    levels = {one.key: one.level for one in snapshot.of(Measure.UNSEEN, Measure.PRIOR)}
    rows = shares.figures.get("rows", []) if shares else []
    return [(row, levels.get(row["generator"], "")) for row in rows]


def standing() -> list[tuple[str, Alarm]]:
    """The open alarms of drift with their words. Two queries."""
    rows = alarms.standing(drift=True).prefetch_related("sights__person")[:MOST_ALARMS]
    return [(sentence(alarm, {}), alarm) for alarm in rows]


def past() -> list[tuple[str, Alarm]]:
    rows = Alarm.objects.filter(scope=Watched.DRIFT, closed_at__isnull=False).order_by("-closed_at")[:PAST]
    return [(sentence(alarm, {}), alarm) for alarm in rows]


def course_of(measure: str, subject: str, key: str, *, since: date) -> list[Reading]:
    """One figure, day by day. One query over an index."""
    rows = Reading.objects.filter(measure=measure, subject=subject, key=key, day__gte=since, value__isnull=False)
    return list(rows.order_by("day"))


def by_client(today: date, weeks: int) -> list[tuple[str, Quality]]:
    found = weekly.by_group(today=today, weeks=weeks, kind="client", most=GROUPS)
    names = {str(key): name for key, name in Client.objects.values_list("pk", "name")} if found else {}
    return [(names.get(key, key), quality) for key, quality in found]


def by_generator(today: date, weeks: int) -> list[tuple[str, Quality]]:
    return weekly.by_group(today=today, weeks=weeks, kind="generator", most=GROUPS)


@dataclass(frozen=True, slots=True)
class Overturned:
    """Of what was looked at again in one week, from a Monday on, so much was overturned."""

    start: date
    of: int
    hits: int

    @property
    def share(self) -> float | None:
        return self.hits / self.of if self.of else None


def overturned(today: date, weeks: int) -> list[Overturned]:
    """One query, of a row a day."""
    first = monday(today) - timedelta(days=WEEK * (weeks - 1))
    counts: dict[date, list[Mapping[str, int]]] = defaultdict(list)
    rows = QualityRollup.objects.filter(measure=Counted.OVERTURNED, category="", day__gte=first, day__lte=today)
    for day, row in rows.values_list("day", "counts"):
        counts[monday(day)].append(row)
    starts = [first + timedelta(days=WEEK * step) for step in range(weeks)]
    return [
        Overturned(start, sum(row["again"] for row in counts[start]), sum(row["overturned"] for row in counts[start]))
        for start in starts
    ]


def told(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot for programs."""
    return {
        "made_at": snapshot.made.isoformat() if snapshot.made else None,
        "level": snapshot.worst,
        "readings": [
            {
                "measure": one.measure,
                "subject": one.subject,
                "key": one.key,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "level": one.level,
                "figures": one.figures,
            }
            for one in snapshot.readings
        ],
    }
