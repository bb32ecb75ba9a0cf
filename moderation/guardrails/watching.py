"""The look that is taken every few minutes: is any share outside its limits, or any cap reached?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from moderation.guardrails import alarms, caps, choosing, limits, series
from moderation.guardrails.counting import hour_of
from moderation.guardrails.events import WIDEST
from moderation.guardrails.limits import Baseline, Budget, Hour
from moderation.guardrails.series import HOUR, Series
from moderation.guardrails.settings import MEASURES, Guards, Measure
from moderation.models import Alarm, AutomationStop, Verdict

# Hours that are no part of the baseline, so that what creeps up does not become usual before anybody sees it.
GAP: Final = 12


@dataclass(frozen=True, slots=True)
class Watched:
    """One share that is watched: its hours up to now, which of them count, and what is usual of it; None: not known
    yet.
    """

    series: Series
    measure: Measure
    since: datetime
    left_out: frozenset[datetime]
    usual: Baseline | None
    halted: frozenset[datetime] = frozenset()  # part of it was stopped: that it falls is no news

    def recent(self, until: datetime) -> list[Hour]:
        """What the EWMA remembers up to and with that hour."""
        since = max(self.since, until - HOUR * (limits.MEMORY - 1))
        return [
            self.series.counted.get(at, series.NONE).hour(self.measure)
            for at in series.span(since, until)
            if at not in self.left_out
        ]

    def at(self, hour: datetime) -> Hour:
        return self.series.counted.get(hour, series.NONE).hour(self.measure)


@dataclass(frozen=True, slots=True)
class State:
    """All that is watched, at one moment."""

    now: datetime
    guards: Guards
    watched: Sequence[Watched]

    @property
    def budget(self) -> Budget:
        return Budget(self.guards.a_month, sum(one.usual is not None for one in self.watched))


def look(now: datetime | None = None) -> int:
    """Afterwards an alarm is open for all that is outside its limits. Returns how many were raised anew."""
    state = state_at(now or timezone.now())
    budget, found = state.budget, list[alarms.Finding]()
    for one in state.watched:
        found += judged(one, state, budget)
    found += reached(state)
    found.sort(key=lambda each: WIDEST.index(each.scope))  # what is stopped everywhere need not be in one category
    return sum(alarms.ring(each, state.guards) is not None for each in found)


def state_at(now: datetime) -> State:
    """Four queries, whatever the number of images."""
    guards, hour = choosing.in_force(), hour_of(now)
    since = hour - timedelta(days=guards.days) - HOUR * GAP
    everything, found = series.read(since, hour)
    earlier = list(Alarm.objects.filter(last_hour__gte=since, measure__in=MEASURES))
    stops = list(AutomationStop.objects.filter(Q(lifted_at__isnull=True) | Q(lifted_at__gte=since)))
    watched = []
    for one in found:
        for measure in MEASURES:
            start, incidents = standing_of(one, measure, earlier, since)
            whole, partly = halted(one, measure, stops, since, now)
            left_out = incidents | whole
            usual = usual_of(one, everything, measure, start, hour, left_out)
            watched.append(Watched(one, measure, start, left_out, usual, partly))
    return State(now, guards, watched)


def halted(
    one: Series, measure: Measure, stops: Sequence[AutomationStop], since: datetime, now: datetime
) -> tuple[frozenset[datetime], frozenset[datetime]]:
    """The hours in which machines did none of this at all, and those in which they did not in some category."""
    whole: set[datetime] = set()
    partly: set[datetime] = set()
    for stop in stops:
        if stop.action in {"", measure}:
            own = stop.client_id is None or (one.scope, one.key) == ("client", str(stop.client_id))
            if not own and one.scope == "client":
                continue  # of another client
            end = hour_of(min(stop.lifted_at or now, now))
            hours = series.span(max(hour_of(stop.stopped_at), since), end)
            (whole if own and stop.category in {"", one.key} else partly).update(hours)
    return frozenset(whole), frozenset(partly)


def standing_of(
    one: Series, measure: Measure, earlier: Sequence[Alarm], since: datetime
) -> tuple[datetime, frozenset[datetime]]:
    """Since when its hours tell what is usual, and which of them do not: an incident's. Plans follow each other, so an
    alarm of one counts for the next.
    """
    left_out: set[datetime] = set()
    for alarm in earlier:
        if alarm.scope != one.scope or alarm.measure != measure or (alarm.key != one.key and one.scope != "plan"):
            continue
        if alarm.verdict == Verdict.NORMAL:
            since = max(since, alarm.hour)
        elif alarm.closed_at is not None:
            left_out.update(series.span(alarm.hour, alarm.last_hour))
    return since, frozenset(left_out)


def usual_of(
    one: Series,
    everything: Series,
    measure: Measure,
    since: datetime,
    hour: datetime,
    left_out: frozenset[datetime],
) -> Baseline | None:
    """By its own hours; a plan that is too young for that is judged by what was usual under the others, so that a new
    plan that blocks everything does not pass for usual.
    """
    own = counted(one, measure, since, hour, left_out)
    found = limits.baseline(own)
    if found is None and one.scope == "plan":
        return limits.baseline(counted(series.without(everything, one), measure, since, hour, left_out))
    return found


def counted(
    one: Series, measure: Measure, since: datetime, hour: datetime, left_out: frozenset[datetime]
) -> list[Hour]:
    until = hour - HOUR * GAP
    return [one.counted.get(at, series.NONE).hour(measure) for at in series.span(since, until) if at not in left_out]


def judged(one: Watched, state: State, budget: Budget) -> list[alarms.Finding]:
    """What is outside: of the hour that is over both charts, of the one under way the p-chart."""
    if one.usual is None:
        return []
    hour = hour_of(state.now)
    over = hour - HOUR
    tests = [("leap", at, pair(one.at(at)), budget.leap) for at in (over, hour) if at >= one.since]
    smoothed = limits.smoothed(one.recent(over)) if over >= one.since and one.at(over).images else None
    if smoothed:
        tests.append(("creep", over, smoothed, budget.creep))
    found = []
    for chart, at, (share, images), alpha in tests:
        side = limits.outside(one.usual, share, images, alpha) if at not in one.left_out else 0
        if side < 0 and at in one.halted:
            continue
        if side and abs(share - one.usual.share) * 100 >= state.guards.least_points:
            found.append(finding(one, chart, at, share, images, alpha, rising=side > 0))
    return found


def pair(hour: Hour) -> tuple[float, float]:
    return (hour.hits / hour.images if hour.images else 0.0), hour.images


def finding(
    one: Watched, chart: str, at: datetime, share: float, images: float, alpha: float, *, rising: bool
) -> alarms.Finding:
    assert one.usual is not None
    low, high = limits.limits(one.usual, images, alpha)
    figures: Mapping[str, float] = {
        "share": round(share, 6),
        "usual": round(one.usual.share, 6),
        "low": round(low, 6),
        "high": round(high, 6),
        "images": round(images),
    }
    return alarms.Finding(one.series.scope, one.series.key, one.measure, chart, rising, at, figures)


def reached(state: State) -> list[alarms.Finding]:
    """The caps that left no more place today."""
    hour = hour_of(state.now)
    return [
        alarms.Finding(
            row.scope, row.key, "cap", "count", rising=True, hour=hour, figures={"blocked": row.blocked, "most": most}
        )
        for row, most in caps.today(state.guards)
        if row.blocked >= most
    ]
