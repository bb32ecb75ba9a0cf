"""Counts of labels as a chart, a row a category; the table below has the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import template

from moderation.wording import category_name

register = template.Library()

WIDTH: Final = 880
ROW: Final = 26
HEAD: Final = 26
NAMES: Final = 168
COUNTS: Final = (NAMES, 330)  # where each panel begins, and how wide it is
SHARES: Final = (580, 110)
AGREED: Final = (744, 120)


@dataclass(frozen=True, slots=True)
class Row:
    """One category, in SVG units. None where there is nothing to draw."""

    name: str
    y: str
    text: str
    positive: str
    negative: str
    start: str
    count: str
    after: str
    share: str | None
    shared: str
    agreed: str | None
    words: str


@register.inclusion_tag("marks/tallies.html")
def tallies(categories: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Affirmed and denied as one bar, prevalence as another, agreement as a dot between 0 and 1."""
    most = max((one["positive"] + one["negative"] for one in categories), default=1) or 1
    high = max((one["prevalence"] or 0 for one in categories), default=0) or 1
    bottom = HEAD + ROW * len(categories)
    return {
        "rows": [row(one, HEAD + ROW * at, most, high) for at, one in enumerate(categories)],
        "width": WIDTH,
        "height": bottom + 4,
        "bottom": bottom,
        "names": NAMES - 10,
        "counts": COUNTS[0],
        "shares": SHARES[0],
        "agreed": AGREED[0],
        "lines": [f"{AGREED[0] + AGREED[1] * share:.1f}" for share in (0, 0.5, 0.8, 1)],
    }


def row(one: Mapping[str, Any], top: int, most: int, high: float) -> Row:
    positive, negative = (COUNTS[1] * one[name] / most for name in ("positive", "negative"))
    share, agreement = one["prevalence"], one["agreement"]
    return Row(
        name=category_name(one["category"]),
        y=f"{top + 5}",
        text=f"{top + ROW / 2:.1f}",
        positive=f"{positive:.1f}",
        negative=f"{negative:.1f}",
        start=f"{COUNTS[0] + positive:.1f}",
        count=f"{one['positive']:,}".replace(",", "\u202f"),
        after=f"{COUNTS[0] + positive + negative + 6:.1f}",
        share=None if share is None else f"{SHARES[1] * share / high:.1f}",
        shared="" if share is None else f"{100 * share:.1f} %",
        agreed=None if agreement is None else f"{AGREED[0] + AGREED[1] * agreement:.1f}",
        words=f"{one['positive']} / {one['negative']}",
    )
