"""Small marks used on many pages: a band's rail, a severity, a category's name, a moment in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from moderation.taxonomy import Severity
from moderation.wording import category_name, figure

register = template.Library()
register.filter("category_name", category_name)
register.filter("figure", figure)


@register.inclusion_tag("marks/rail.html")
def rail(approve: float, block: float | None = None, probability: float | None = None) -> dict[str, Any]:
    """A band as approve, review and block zones with a marker. All are probabilities; `block` None: no block zone."""
    end = 1.0 if block is None else block
    return {
        "approve": percent(approve),
        "middle": percent(max(end - approve, 0.0)),
        "block": percent(end),
        "rest": percent(1.0 - end),
        "probability": None if probability is None else percent(probability),
    }


def percent(share: float) -> str:
    """As an SVG length; never with a local decimal comma."""
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


@register.simple_tag
def severity(level: int | None) -> SafeString:
    """A severity's mark: shape and letters carry it, colour only helps."""
    if level is None:
        return SafeString("")
    return format_html('<span class="sev s{0}" title="{1}">S{0}</span>', int(level), Severity(level).label)


@register.simple_tag
def when(moment: datetime | None) -> SafeString:
    """A moment: times.js shows it in local time, the exact UTC stays on hover."""
    if moment is None:
        return SafeString("–")
    moment = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        date_format(moment, "j M Y, H:i"),
    )


@register.filter
def age(moment: datetime) -> str:
    """How long ago, in the two largest units that matter at a desk."""
    minutes = max(0, int((timezone.now() - moment).total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes} if minutes else _("under 1 min")
