"""Curves of evaluations, as SVG by the server; every number on them stands in a table and in the CSV, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import template
from django.utils.translation import gettext as _

from moderation.templatetags.charts import MARGIN, SIDE, TICKS, across, down

register = template.Library()

SIDES: Final = ("candidate", "incumbent")
LIMITS: Final = ("value", "low", "high")
WIDE: Final = 300
TALL: Final = 130


@register.filter
def side(table: Mapping[str, Any] | None, key: str) -> Any:
    """`{{ figures|side:"candidate" }}`: what a table has under a key, or nothing."""
    return (table or {}).get(key)


@register.filter
def slugs(words: str) -> list[str]:
    """`{% for key in "auc ap"|slugs %}`: the words of a text."""
    return words.split()


@register.filter
def signed(value: float | None) -> str:
    """A difference with its sign, to three places."""
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


@register.inclusion_tag("marks/interval.html")
def interval(figure: Mapping[str, Any] | None, places: int = 3) -> dict[str, Any]:
    """A figure with its 95 % limits under it."""
    found = figure or {}
    return {k: None if found.get(k) is None else f"{found[k]:.{places}f}".replace("-", "−") for k in LIMITS}


@register.inclusion_tag("marks/verdict.html")
def verdict(difference: Mapping[str, Any] | None, places: int = 3, *, share: bool = False) -> dict[str, Any]:
    """A difference with its limits and what it comes to, in a word and a colour; of shares in percentage points."""
    found = difference or {}
    tone = {"better": "ok", "worse": "stop"}.get(found.get("verdict", ""), "")
    words = {
        "better": _("better"),
        "worse": _("worse"),
        "same": _("the same"),
        "open": _("not told apart"),
        "more": _("more"),
        "fewer": _("fewer"),
    }
    limits = {name: found.get(name) for name in LIMITS}
    shown = {k: None if v is None else points(v) if share else moved(v, places) for k, v in limits.items()}
    return {**shown, "tone": tone, "words": words.get(found.get("verdict", ""), "")}


def moved(value: float, places: int) -> str:
    """With its sign, where anything is left of it."""
    shown = f"{value:+.{places}f}"
    return shown.lstrip("+-") if not float(shown) else shown.replace("-", "−")


def points(share: float) -> str:
    return _("%(n)s pp") % {"n": moved(100 * share, 1)}


@register.inclusion_tag("marks/ranking.html")
def ranking(curves: Mapping[str, Any], which: str, name: str) -> dict[str, Any]:
    """ROC (`roc`) or precision-recall (`pr`) of each side, on the unit square."""
    title = _("ROC of %(name)s") if which == "roc" else _("Precision and recall of %(name)s")
    return {
        "lines": [
            (one, " ".join(f"{across(x)},{down(y)}" for x, y in curves[one][which]))
            for one in SIDES
            if one in curves and curves[one][which]
        ],
        "ticks": [(across(tick), down(tick), f"{tick:g}") for tick in TICKS],
        "chance": which == "roc",
        "title": title % {"name": name},
        "below": _("harmless flagged") if which == "roc" else _("violations found"),
        "beside": _("violations found") if which == "roc" else _("of flagged, violating"),
        "near": across(0),
        "far": across(1),
        "low": down(0),
        "high": down(1),
        "middle": across(0.5),
        "width": MARGIN + SIDE + 12,
        "height": SIDE + MARGIN + 18,
        "label": MARGIN - 8,
        "foot": SIDE + 26,
    }


@register.inclusion_tag("marks/scores.html")
def scores(found: Mapping[str, Sequence[float]], cuts: Mapping[str, float], name: str) -> dict[str, Any]:
    """How one side's scores lie: harmless upwards, violating downwards, with the plan's cuts."""
    harmless, harmful = found["harmless"], found["harmful"]
    highest = max([*harmless, *harmful, 0.01])
    step = WIDE / len(harmless)

    def bars(shares: Sequence[float], *, up: bool) -> list[dict[str, str]]:
        return [
            {
                "x": f"{at * step + 0.75:.1f}",
                "width": f"{step - 1.5:.1f}",
                "y": f"{(TALL / 2 - share / highest * 56) if up else TALL / 2 + 1:.1f}",
                "height": f"{share / highest * 56:.1f}",
                "words": f"{at / len(shares):.2f}–{(at + 1) / len(shares):.2f}: {100 * share:.1f} %",
            }
            for at, share in enumerate(shares)
            if share
        ]

    return {
        "up": bars(harmless, up=True),
        "down": bars(harmful, up=False),
        "cuts": [f"{WIDE * cut:.1f}" for cut in cuts.values()],
        "ticks": [(f"{WIDE * tick:.1f}", f"{tick:g}") for tick in TICKS],
        "name": name,
        "width": WIDE,
        "height": TALL + 18,
        "middle": TALL / 2,
        "foot": TALL + 12,
    }
