"""What the page shows of one watched share: its hours against its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from moderation.guardrails import limits, series
from moderation.guardrails.counting import hour_of
from moderation.guardrails.limits import Budget
from moderation.guardrails.series import HOUR
from moderation.guardrails.watching import State, Watched, pair

SHOWN: Final = 72  # hours


@dataclass(frozen=True, slots=True)
class Point:
    """One hour: its share and limits, and the EWMA up to it with its own; None where there were no images or nothing
    is known. `outside` as both charts judge it by today's baseline: 1 above, −1 below.
    """

    at: datetime
    images: int
    hits: int
    share: float | None
    reach: tuple[float, float] | None = None
    smoothed: float | None = None
    smoothed_reach: tuple[float, float] | None = None
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One row of what is watched: the last full hour."""

    watched: Watched
    point: Point

    @property
    def words(self) -> str:
        return "unknown" if self.watched.usual is None else {1: "high", -1: "low"}.get(self.point.outside, "usual")


def points(one: Watched, state: State) -> list[Point]:
    end = hour_of(state.now)
    return [point(one, at, state.budget) for at in series.span(end - HOUR * (SHOWN - 1), end)]


def lines(state: State, measure: str) -> list[Line]:
    over = hour_of(state.now) - HOUR
    budget = state.budget
    return [Line(one, point(one, over, budget)) for one in state.watched if one.measure == measure]


def point(one: Watched, at: datetime, budget: Budget) -> Point:
    hour = one.at(at)
    share, images = pair(hour)
    if not hour.images:
        return Point(at, 0, 0, None)
    smoothed = limits.smoothed(one.recent(at)) if at >= one.since and at not in one.left_out else None
    if one.usual is None or smoothed is None:
        return Point(at, hour.images, hour.hits, share)
    leapt = limits.outside(one.usual, share, images, budget.leap)
    crept = limits.outside(one.usual, *smoothed, budget.creep)
    return Point(
        at,
        hour.images,
        hour.hits,
        share,
        limits.limits(one.usual, images, budget.leap),
        smoothed[0],
        limits.limits(one.usual, smoothed[1], budget.creep),
        leapt or crept,
    )


def chosen(state: State, scope: str, key: str, measure: str) -> Watched | None:
    """The one that was asked for; else the plan with the most images, of which most is known."""
    of = [one for one in state.watched if one.measure == measure]
    asked = [one for one in of if (one.series.scope, one.series.key) == (scope, key)]
    plans: Sequence[Watched] = [one for one in of if one.series.scope == "plan"]
    return next(iter(asked or plans or of), None)
