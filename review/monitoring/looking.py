"""The look that the worker takes every hour: it counts, reads, keeps a row a day of each figure, and raises alarms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from classifiers.models import ClassifierVersion
from moderation.guardrails import alarms
from moderation.guardrails.counting import hour_of
from moderation.guardrails.settings import Guards
from moderation.models import Level, Measure, Reading, TriagePlan, Watched
from review.monitoring import choosing, counting, decisions, pictures, scores, traffic

KEPT: Final = timedelta(days=400)
OF_IMAGES: Final = (Measure.MMD, Measure.C2ST)  # tests that err by chance: once a day
GUARDS: Final = Guards()  # drift stops nothing by itself


@dataclass(frozen=True, slots=True)
class Looked:
    """How many days were counted, figures kept, and alarms raised anew."""

    days: int
    readings: int
    raised: int


def look(now: datetime | None = None) -> Looked:
    """Afterwards what monitoring shows is as of now, and an alarm is open for all that is beyond its line. Its cost
    goes with the days that are counted and the versions in service, and not with the archive.
    """
    now = now or timezone.now()
    lines, versions = choosing.in_force(), pinned()
    days = counting.count(now)
    read = [
        *decisions.audited(lines, now),
        decisions.overturned(lines, now),
        *scores.readings(versions, lines, now),
        *traffic.readings(versions, lines, now),
    ]
    kept = keep(read, now, leaving=OF_IMAGES)
    if not tested(now.date()):
        images = list(pictures.readings(versions, lines, now))
        kept += keep(images, now, only=OF_IMAGES)
        read += images
    return Looked(days, kept, sum(ring(one, now) for one in beyond(read)))


def pinned() -> list[ClassifierVersion]:
    """The versions that the plan in force pins, with their backbones."""
    plan = TriagePlan.objects.in_force()
    refs = [str(ref) for ref in plan.body["classifiers"]] if plan else []
    rows = ClassifierVersion.objects.with_refs(refs).select_related("backbone").defer("card", "backbone__card")
    return sorted(rows, key=lambda one: one.ref)


def tested(day: date) -> bool:
    """Whether the images were compared on that day already."""
    return Reading.objects.filter(day=day, measure__in=OF_IMAGES, value__isnull=False).exists()


@transaction.atomic
def keep(
    read: Sequence[Reading], now: datetime, *, only: Iterable[str] | None = None, leaving: Iterable[str] = ()
) -> int:
    """Afterwards the day's rows are these; those of measures that were not read stay as they were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.monitoring'))")
    of_day = Reading.objects.filter(day=now.date())
    (of_day.filter(measure__in=list(only)) if only else of_day.exclude(measure__in=list(leaving))).delete()
    for one in read:
        one.day, one.made_at = now.date(), now
    Reading.objects.filter(day__lt=(now - KEPT).date()).delete()
    return len(Reading.objects.bulk_create(read))


def beyond(read: Sequence[Reading]) -> list[Reading]:
    """Those to act on; one of the two distances of scores is enough."""
    found = [one for one in read if one.level == Level.ACT]
    told = {(one.subject, one.key) for one in found if one.measure == Measure.PSI}
    return [one for one in found if one.measure != Measure.KS or (one.subject, one.key) not in told]


def ring(one: Reading, now: datetime) -> bool:
    """Whether an alarm is open that was not."""
    figures: dict[str, Any] = {name: value for name, value in one.figures.items() if not isinstance(value, list)}
    figures |= {"subject": one.subject, "of": one.key, "value": one.value, "low": one.low, "high": one.high}
    found = alarms.Finding(
        scope=Watched.DRIFT,
        key=f"{one.subject} {one.key}".strip(),
        measure=one.measure,
        chart="line",
        rising=(one.value or 0.0) >= 0,
        hour=hour_of(now),
        figures=figures,
    )
    return alarms.ring(found, GUARDS) is not None
