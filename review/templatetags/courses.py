"""Charts of the monitoring page, as SVG by the server; every number on them stands in a table beside them, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from moderation.models import Reading
from review.estimates.shares import Figure
from review.monitoring.showing import Overturned
from review.monitoring.weekly import Week

register = template.Library()

WIDTH, HEIGHT = 560, 190
LEFT, TOP, BOTTOM = 52, 12, 156
LINES: Final = 4
STEPS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
MOST_NAMES: Final = 6
BAR: Final = 120
MANY: Final = 40  # dots, from which on they are drawn small


@dataclass(frozen=True, slots=True)
class Dot:
    """One point in SVG units, with the ends of its interval where it has one."""

    x: str
    y: str
    words: str
    low: str = ""
    high: str = ""
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 at the bottom to `top`."""

    top: float
    as_share: bool = True

    def down(self, value: float) -> str:
        """As an SVG coordinate; never with a local decimal comma. What is beyond is drawn at the edge."""
        return f"{BOTTOM - (BOTTOM - TOP) * min(max(value, 0.0), self.top) / self.top:.1f}"

    @property
    def lines(self) -> list[tuple[str, str]]:
        steps = [self.top * number / LINES for number in range(LINES + 1)]
        return [(self.down(one), f"{100 * one:g} %" if self.as_share else f"{one:g}") for one in steps]

    @classmethod
    def over(cls, values: Sequence[float], *, as_share: bool = True) -> Scale:
        """With room for all of these; at most 1, for a share."""
        highest = max(values, default=0.0)
        step = next((each for each in STEPS if each * LINES >= highest), None)
        return cls(step * LINES if step else 1.0 if as_share else highest * 1.1, as_share)


@register.inclusion_tag("marks/course.html")
def weekly_course(weeks: Sequence[Week], figure: str, name: str, line: float = 0.0) -> dict[str, Any]:
    """One figure week by week, with its interval as a bar; a week that may still move is hollow. Shares that are near 0
    are drawn large, without room for all of an interval that reaches far.
    """
    found: list[tuple[Week, Figure]] = [(week, getattr(week.quality, figure)) for week in weeks]
    known = [one for _week, one in found if one.value is not None]
    small = figure in {"miss_rate", "prevalence"}
    highest = [max(one.value or 0.0, min(one.high, 4 * (one.value or 0.0) + 0.01)) for one in known]
    scale = Scale.over([*highest, line]) if small else Scale(1.0)
    dots = [
        None
        if one.value is None
        else Dot(
            across(at, len(found)),
            scale.down(one.value),
            said(week, one),
            scale.down(one.low),
            scale.down(one.high),
            week.provisional,
        )
        for at, (week, one) in enumerate(found)
    ]
    return frame(dots, [week.start for week in weeks], scale, name, line)


@register.inclusion_tag("marks/course.html")
def daily_course(readings: Sequence[Reading], name: str, line: float = 0.0) -> dict[str, Any]:
    """A distance day by day, against its line."""
    scale = Scale.over([*(one.value or 0.0 for one in readings), line], as_share=False)
    dots: list[Dot | None] = [
        Dot(
            across(at, len(readings)),
            scale.down(one.value or 0.0),
            f"{date_format(one.day, 'j M Y')}: {one.value or 0.0:.3f}",
        )
        for at, one in enumerate(readings)
    ]
    return frame(dots, [one.day for one in readings], scale, name, line)


@register.inclusion_tag("marks/course.html")
def overturned_course(weeks: Sequence[Overturned], name: str) -> dict[str, Any]:
    scale = Scale.over([one.share for one in weeks if one.share is not None])
    dots = [
        None
        if one.share is None
        else Dot(
            across(at, len(weeks)),
            scale.down(one.share),
            f"{date_format(one.start, 'j M Y')}: {100 * one.share:.1f} % ({one.hits}/{one.of})",
        )
        for at, one in enumerate(weeks)
    ]
    return frame(dots, [one.start for one in weeks], scale, name, 0.0)


@register.inclusion_tag("marks/two_bars.html")
def two_bars(before: float, after: float) -> dict[str, Any]:
    """Two shares, one above the other: how it was and how it is."""
    return {"before": f"{BAR * before:.1f}", "after": f"{BAR * after:.1f}", "width": BAR}


@register.inclusion_tag("marks/bins.html")
def two_bins(before: Sequence[float], after: Sequence[float], edges: Sequence[float], name: str) -> dict[str, Any]:
    """Shares of the scores in the bins between the edges, of the reference and of the newest."""
    highest = max([*before, *after, 0.01])
    wide = (WIDTH - LEFT - 8) / max(len(before), 1)

    def bar(at: int, share: float, side: int) -> tuple[str, str, str, str]:
        tall = (BOTTOM - TOP) * share / highest
        x = LEFT + wide * at + 3 + side * (wide - 6) / 2
        return f"{x:.1f}", f"{BOTTOM - tall:.1f}", f"{(wide - 6) / 2 - 1:.1f}", f"{tall:.1f}"

    names = [f"< {edges[0]:g}", *(f"{edge:g}" for edge in edges)]
    return {
        "pairs": [
            (bar(at, was, 0), bar(at, now, 1), f"{words}: {100 * was:.1f} % / {100 * now:.1f} %")
            for at, (was, now, words) in enumerate(zip(before, after, names, strict=False))
        ],
        "names": [(f"{LEFT + wide * (at + 0.5):.1f}", words) for at, words in enumerate(names)],
        "lines": [(f"{BOTTOM - (BOTTOM - TOP) * part:.1f}", f"{100 * highest * part:.0f} %") for part in (0, 0.5, 1)],
        "name": name,
        **size(),
    }


def across(at: int, of: int) -> str:
    return f"{LEFT + 10 + (WIDTH - LEFT - 36) * (at / (of - 1) if of > 1 else 0.5):.1f}"


def said(week: Week, one: Figure) -> str:
    reach = f"{100 * one.low:.2f} – {100 * one.high:.2f} %"
    words = f"{date_format(week.start, 'j M Y')}: {100 * (one.value or 0):.2f} % ({reach})"
    return f"{words} · {_('may still move')}" if week.provisional else words


def frame(dots: Sequence[Dot | None], days: Sequence[Any], scale: Scale, name: str, line: float) -> dict[str, Any]:
    every = max(1, -(-len(days) // MOST_NAMES))
    names = [
        (across(at, len(days)), date_format(day, "j M"))
        for at, day in enumerate(days)
        if (len(days) - 1 - at) % every == 0
    ]
    return {
        "dots": [dot for dot in dots if dot],
        "runs": [" ".join(f"{dot.x},{dot.y}" for dot in run) for run in runs(dots)],
        "names": names,
        "lines": scale.lines,
        "act": scale.down(line) if line else "",
        "radius": "2.5" if len(dots) > MANY else "4",
        "name": name,
        **size(),
    }


def runs(dots: Sequence[Dot | None]) -> list[list[Dot]]:
    """The unbroken stretches of dots, as far as there is a line to draw."""
    found: list[list[Dot]] = [[]]
    for dot in dots:
        if dot is not None:
            found[-1].append(dot)
        elif found[-1]:
            found.append([])
    return [run for run in found if len(run) > 1]


def size() -> dict[str, Any]:
    return {"width": WIDTH, "height": HEIGHT, "left": LEFT, "label": LEFT - 6, "foot": BOTTOM + 22, "top": TOP}
