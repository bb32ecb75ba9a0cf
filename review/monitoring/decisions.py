"""Readings of what people decided: the figures from audits of the last weeks, and whether they are overturned more
often than they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from math import exp, log
from typing import Final

from moderation.models import Alarm, Reading
from moderation.models import Measure as Watched
from moderation.models import Verdict as Closed
from review.estimates.shares import Figure
from review.models import Measure, QualityRollup
from review.monitoring import weekly
from review.monitoring.changes import SPAN, Day, change, span_of
from review.monitoring.settings import Lines

WEEKS: Final = 4
LEAST: Final = 20  # decisions looked at again, before a change is told
MILDER: Final = 10
HIGHER_IS_WORSE: Final = frozenset({"miss_rate"})
CERTAIN: Final = 700.0  # of a logarithm, beyond which exp overflows


def audited(lines: Lines, now: datetime) -> Iterator[Reading]:
    """Precision, miss rate, recall and prevalence of the last weeks, of any harm and by category. One query."""
    course = weekly.course(today=now.date(), weeks=WEEKS)
    for category in ("", *course.categories):
        for name, figure in course.whole.quality(category).figures():
            line = getattr(lines, name, 0.0)
            yield Reading(
                measure=Watched(name),
                key=category,
                value=figure.value,
                low=figure.low,
                high=figure.high,
                level=level_of(name, figure, line),
                figures={"n": figure.n, "hits": figure.hits, "line": line, "waiting": course.waiting},
            )


def level_of(name: str, figure: Figure, line: float) -> str:
    """Beyond the line as a whole interval: act; with its middle: watch."""
    if figure.value is None:
        return ""
    if not line:
        return "usual"
    if name in HIGHER_IS_WORSE:
        return "act" if figure.low > line else "watch" if figure.value > line else "usual"
    return "act" if figure.high < line else "watch" if figure.value < line else "usual"


def overturned(lines: Lines, now: datetime) -> Reading:
    """Since the half year began, or since somebody said that this is how it is now. Two queries."""
    today = now.date()
    start = max(span_of(today), told_normal() or span_of(today))
    rows = QualityRollup.objects.filter(measure=Measure.OVERTURNED, category="", day__gte=start, day__lte=today)
    days = [Day(row.day, row.counts["again"], row.counts["overturned"]) for row in rows.order_by("day")]
    found = change(days)
    seen = sum(one.of for one in days)
    figures = {
        "n": seen,
        "of": LEAST,
        "since": found.since.isoformat() if found.since else "",
        "before": found.before.share,
        "after": found.after.share,
        "n_before": found.before.images,
        "n_after": found.after.images,
        "line": 1 / lines.overturn_doubt,
        "span": SPAN,
    }
    if seen < LEAST or found.since is None:
        return Reading(measure=Watched.OVERTURN, figures=figures)
    needed = log(1 / lines.overturn_doubt)
    level = "act" if found.evidence >= needed else "watch" if found.evidence >= needed - log(MILDER) else "usual"
    if not found.rising and level == "act":
        level = "watch"  # that fewer are overturned needs nobody at night
    return Reading(measure=Watched.OVERTURN, value=exp(min(found.evidence, CERTAIN)), level=level, figures=figures)


def told_normal() -> date | None:
    closed = Alarm.objects.filter(measure=Watched.OVERTURN, verdict=Closed.NORMAL).order_by("-closed_at").first()
    return closed.closed_at.date() if closed and closed.closed_at else None
