"""Charts drawn as SVG by the server; every number on them stands in a table beside them, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import template

register = template.Library()

SIDE: Final = 240
MARGIN: Final = 34
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Point:
    """A bin in the picture, in SVG units: where it is, how far its interval reaches, and how heavy it is."""

    x: str
    y: str
    top: str
    bottom: str
    radius: str


@register.inclusion_tag("marks/reliability.html")
def reliability(bins: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Predicted against observed, a point a bin, larger where more labels lie; perfect calibration is the diagonal."""
    total = sum(one["n"] for one in bins) or 1
    points = [
        Point(
            across(one["mean_probability"]),
            down(one["share_violating"]),
            down(one.get("share_high", one["share_violating"])),
            down(one.get("share_low", one["share_violating"])),
            f"{3 + 6 * (one['n'] / total) ** 0.5:.1f}",
        )
        for one in bins
    ]
    ticks = [(across(tick), down(tick), f"{tick:g}") for tick in TICKS]
    ends = {"near": across(0), "far": across(1), "low": down(0), "high": down(1)}
    frame = {"width": MARGIN + SIDE + 12, "height": SIDE + MARGIN + 18, "label": MARGIN - 8, "foot": SIDE + 26}
    return {"points": points, "ticks": ticks, "name": name, "middle": across(0.5), **ends, **frame}


def across(share: float) -> str:
    """As an SVG coordinate; never with a local decimal comma."""
    return f"{MARGIN + SIDE * share:.1f}"


def down(share: float) -> str:
    return f"{10 + SIDE * (1 - share):.1f}"
