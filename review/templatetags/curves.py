"""The curves of a training, drawn as SVG by the server; every number on them stands in a table beside them, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import template
from django.utils.translation import gettext as _

register = template.Library()

WIDTH: Final = 720
HEIGHT: Final = 210
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 10, 176
LINES: Final = 4
NAMES: Final = 6
SHARES: Final = frozenset({"auc"})
"""Columns that cannot be above 1."""


@register.inclusion_tag("marks/curve.html")
def curve(points: Sequence[Mapping[str, Any]], name: str, *columns: str) -> dict[str, Any]:
    """Values by step, a line a column; columns nobody told are left out. The first line is whole, others are broken."""
    seen = {column: told(points, column) for column in columns}
    seen = {column: line for column, line in seen.items() if line}
    steps = [int(point["step"]) for point in points]
    values = [value for line in seen.values() for _step, value in line]
    low, high = bounds(values)
    if set(seen) <= SHARES:
        high = min(high, 1.0)
    first, last = (min(steps), max(steps)) if steps else (0, 1)

    def across(step: float) -> str:
        return f"{LEFT + (WIDTH - LEFT - RIGHT) * (step - first) / max(last - first, 1):.1f}"

    def down(value: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low):.1f}"

    lines = [
        {
            "column": column,
            "words": words_of(column),
            "points": " ".join(f"{across(step)},{down(value)}" for step, value in line),
            "end": (across(line[-1][0]), down(line[-1][1]), f"{line[-1][1]:.4f}"),
        }
        for column, line in seen.items()
    ]
    levels = [low + (high - low) * at / LINES for at in range(LINES + 1)]
    ticks = sorted({first + round((last - first) * at / (NAMES - 1)) for at in range(NAMES)})
    return {
        "lines": lines,
        "grid": [(down(value), f"{value:.3g}") for value in levels],
        "ticks": [(across(step), str(step)) for step in ticks] if steps else [],
        "name": name,
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "label": LEFT - 8,
        "foot": BOTTOM + 20,
    }


def told(points: Sequence[Mapping[str, Any]], column: str) -> list[tuple[int, float]]:
    return [(int(point["step"]), float(point[column])) for point in points if point.get(column) is not None]


def words_of(column: str) -> str:
    return {"loss": _("training"), "validation": _("validation"), "auc": _("AUC, validation")}.get(column, column)


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """With some air, and never of no height."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    air = max((high - low) * 0.08, abs(high) * 0.01, 1e-6)
    return low - air, high + air
