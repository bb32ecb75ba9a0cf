"""Charts of the quality pages, as SVG by the server; every number on them stands in a table beside them, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django import template
from django.utils.formats import date_format

from moderation.templatetags.marks import percent
from review.quality.figures import GOOD, TENTATIVE, Week

register = template.Library()

WIDTH: Final = 720
HEIGHT: Final = 180
LEFT: Final = 40
TOP, BOTTOM = 10, 152
LOWEST: Final = -0.1
MOST_NAMES: Final = 7


@register.inclusion_tag("marks/spread.html")
def spread(low: float, mean: float, high: float) -> dict[str, Any]:
    """An interval within [0, 1] with its middle."""
    return {"low": percent(low), "wide": percent(high - low), "mean": percent(mean)}


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: str
    words: str


@register.inclusion_tag("marks/weeks.html")
def weeks(values: Sequence[Week], name: str) -> dict[str, Any]:
    """α week by week, a line broken where a week says nothing, between Krippendorff's two lines."""
    step = (WIDTH - LEFT - 20) / max(len(values) - 1, 1)
    runs: list[list[Dot]] = [[]]
    for index, week in enumerate(values):
        if week.alpha is None:
            runs.append([])
            continue
        words = f"{named(week.start)}: {week.alpha:.2f} ({week.units})"
        runs[-1].append(Dot(f"{LEFT + step * index:.1f}", down(week.alpha), words))
    every = max(1, -(-len(values) // MOST_NAMES))
    return {
        "runs": [(" ".join(f"{dot.x},{dot.y}" for dot in run), run) for run in runs if run],
        "names": [(f"{LEFT + step * at:.1f}", named(week.start)) for at, week in enumerate(values) if at % every == 0],
        "lines": [(down(value), f"{value:g}", value in {GOOD, TENTATIVE}) for value in (0, 0.4, TENTATIVE, GOOD, 1)],
        "name": name,
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "label": LEFT - 6,
        "foot": BOTTOM + 20,
    }


def named(day: date) -> str:
    return date_format(day, "j M")


def down(alpha: float) -> str:
    """As an SVG coordinate; never with a local decimal comma. Below LOWEST it is drawn there."""
    share = (max(alpha, LOWEST) - LOWEST) / (1 - LOWEST)
    return f"{BOTTOM - (BOTTOM - TOP) * share:.1f}"
