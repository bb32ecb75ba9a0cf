"""The control chart, drawn as SVG by the server, and the mark in the header; each number stands in a table, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from django import template
from django.utils.formats import date_format

from moderation.guardrails import alarms
from moderation.guardrails.charting import Point
from moderation.guardrails.limits import Baseline
from moderation.models import Scope, User

register = template.Library()

WIDTH: Final = 1180
HEIGHT: Final = 240
LEFT, TOP, BOTTOM = 52, 10, 208
LINES: Final = 4
STEPS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)


@register.simple_tag(takes_context=True)
def open_alarms(context: dict[str, Any]) -> int:
    """`{% open_alarms as rung %}`: how many are open, for those who answer them; else 0."""
    user = context.get("user")
    return alarms.count(drift=False) if isinstance(user, User) and user.has_scope(Scope.POLICY) else 0


@register.simple_tag(takes_context=True)
def drift_alarms(context: dict[str, Any]) -> int:
    """`{% drift_alarms as rung %}`: how many of drift are open, for those who answer them; else 0."""
    user = context.get("user")
    return alarms.count(drift=True) if isinstance(user, User) and user.has_scope(Scope.ML) else 0


@register.inclusion_tag("marks/control.html")
def control_chart(points: Sequence[Point], usual: Baseline | None, name: str) -> dict[str, Any]:
    """Shares by the hour as dots, the EWMA as a line, the usual share and the limits of one hour behind them; what is
    outside is a diamond.
    """
    known = [one for one in points if one.share is not None]
    step = next((each for each in STEPS if each * LINES >= highest(known, usual.share if usual else 0.0)), 0.25)
    top = step * LINES

    def down(share: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * min(share, top) / top:.1f}"

    across = (WIDTH - LEFT - 16) / max(len(points) - 1, 1)
    places = {one.at: f"{LEFT + 4 + across * index:.1f}" for index, one in enumerate(points)}
    return {
        "dots": [
            {"x": places[one.at], "y": down(one.share), "outside": one.outside, "words": said(one)}
            for one in known
            if one.share is not None
        ],
        "zones": [zone(run, places, down) for run in runs(points, lambda one: one.reach is not None)],
        "smoothed": [
            " ".join(f"{places[one.at]},{down(one.smoothed)}" for one in run if one.smoothed is not None)
            for run in runs(points, lambda one: one.smoothed is not None)
        ],
        "usual": None if usual is None else down(usual.share),
        "lines": [(down(step * number), f"{100 * step * number:g} %") for number in range(LINES + 1)],
        "days": [(places[one.at], date_format(one.at, "j M")) for one in points if one.at.hour == 0],
        "name": name,
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "label": LEFT - 8,
        "foot": BOTTOM + 22,
        "top": TOP,
        "bottom": BOTTOM,
    }


def highest(points: Sequence[Point], usual: float) -> float:
    """What the chart must have room for: every share; limits only so far, for those of few images lie far out."""
    edges = [one.reach[1] for one in points if one.reach]
    return max([usual, *(one.share or 0.0 for one in points), min(max(edges, default=0.0), 3 * usual + 0.05)])


def runs(points: Sequence[Point], kept: Callable[[Point], bool]) -> list[list[Point]]:
    """The unbroken stretches of points that are kept."""
    found: list[list[Point]] = [[]]
    for one in points:
        if kept(one):
            found[-1].append(one)
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def zone(run: Sequence[Point], places: dict[Any, str], down: Callable[[float], str]) -> str:
    """The outline between the limits."""
    high = [f"{places[one.at]},{down(one.reach[1])}" for one in run if one.reach]
    low = [f"{places[one.at]},{down(one.reach[0])}" for one in reversed(run) if one.reach]
    return " ".join(high + low)


def said(one: Point) -> str:
    return f"{one.at:%Y-%m-%d %H}:00 UTC: {100 * (one.share or 0):.1f} % ({one.hits}/{one.images})"
