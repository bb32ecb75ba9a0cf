"""Alarms and what is watched, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from moderation.models import Alarm, Client
from moderation.taxonomy import Category


class Placed(Protocol):
    @property
    def scope(self) -> str: ...
    @property
    def key(self) -> str: ...


def named(found: Iterable[Placed]) -> Mapping[str, str]:
    """The clients' names by their keys. One query."""
    keys = {UUID(one.key) for one in found if one.scope == "client"}
    return {str(row.pk): row.name for row in Client.objects.filter(pk__in=keys)} if keys else {}


def where(scope: str, key: str, names: Mapping[str, str]) -> str:
    match scope:
        case "plan":
            return _("Plan %(number)s") % {"number": key}
        case "client":
            return _("Client %(name)s") % {"name": names.get(key, key)}
        case "category":
            return str(Category(key).label) if key in Category.values else key
    return key


def sentence(alarm: Alarm, names: Mapping[str, str]) -> str:
    """What is not as usual, with its figures."""
    said: dict[str, Any] = {"where": where(alarm.scope, alarm.key, names), **alarm.figures}
    if alarm.measure == "cap":
        return _("%(where)s: the cap of %(most)d blocks a day is reached; what comes further goes to people.") % said
    said |= {name: f"{100 * said[name]:.1f}" for name in ("share", "usual", "low", "high")}
    if alarm.measure == "block":
        words = _("%(where)s: machines block %(share)s %% of %(images)d images; usual is %(usual)s %%, %(edge)s.")
    else:
        words = _("%(where)s: machines approve %(share)s %% of %(images)d images; usual is %(usual)s %%, %(edge)s.")
    edge = _("up to %(high)s %%") if alarm.rising else _("at least %(low)s %%")
    return words % {**said, "edge": edge % said}
