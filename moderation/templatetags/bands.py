"""Cuts and shares as people read them."""

from __future__ import annotations

from django import template

from moderation.simulation import figure

register = template.Library()
register.filter("cut", figure)


@register.filter
def share(value: float) -> str:
    """A share as a percentage: 0.05 → 5 %."""
    return f"{100 * value:g} %"


@register.filter
def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign: −0.012 → −1.2."""
    return f"{100 * value:+.2f}".replace("-", "−")


@register.filter
def tenths(value: float) -> str:
    """A measured share as a percentage: 0.98765 → 98.8 %."""
    return f"{100 * value:.1f} %"


@register.filter
def hundredths(value: float) -> str:
    """A small share as a percentage: 0.00512 → 0.51 %."""
    return f"{100 * value:.2f} %"
