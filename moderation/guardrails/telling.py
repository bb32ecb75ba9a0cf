"""Alarms and what is watched, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.models import Alarm, Client, Watched
from moderation.taxonomy import Category

SHARES: Final = ("line", "low", "high", "before", "after")
DRIFTED: Final[Mapping[str, Any]] = {
    "psi": gettext_lazy(
        "%(of)s by %(subject)s: scores are distributed otherwise than in its reference, by a stability index of "
        "%(value)s; the line is %(line)s, on %(n)s images."
    ),
    "ks": gettext_lazy(
        "%(of)s by %(subject)s: scores are distributed otherwise than in its reference, at most %(value)s apart "
        "(Kolmogorov and Smirnov); the line is %(line)s, on %(n)s images."
    ),
    "c2st": gettext_lazy(
        "%(subject)s: a classifier tells the newest images from those of the reference %(percent)s %% of the time; the "
        "line is %(line_percent)s %%, and 50 %% is guessing."
    ),
    "mmd": gettext_lazy("%(subject)s: the newest images are not those of the reference (mean discrepancy %(value)s)."),
    "shares": gettext_lazy(
        "The generators’ shares of the traffic moved by a stability index of %(value)s; the line is %(line)s, on %(n)s "
        "images."
    ),
    "prior": gettext_lazy(
        "Images of %(of)s score otherwise than in the reference, by %(value)s on average; the line is %(line)s, "
        "on %(n)s images."
    ),
    "unseen": gettext_lazy(
        "%(percent)s %% of the newest images come from %(of)s, which was not in the reference; the line "
        "is %(line_percent)s %%."
    ),
    "overturn": gettext_lazy(
        "Decisions are overturned more often since %(since)s: %(after_percent)s %% instead of %(before_percent)s %%. "
        "The evidence is %(value)s to 1; the line is %(line)s."
    ),
    "precision": gettext_lazy(
        "%(of)s: of what machines block, %(percent)s %% violates (%(low_percent)s to %(high_percent)s %%); the line "
        "is %(line_percent)s %%."
    ),
    "miss_rate": gettext_lazy(
        "%(of)s: of what machines approve, %(percent)s %% violates (%(low_percent)s to %(high_percent)s %%); the line "
        "is %(line_percent)s %%."
    ),
    "recall": gettext_lazy(
        "%(of)s: of all that violates, %(percent)s %% is caught (%(low_percent)s to %(high_percent)s %%); the line "
        "is %(line_percent)s %%."
    ),
}


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
    if alarm.scope == Watched.DRIFT:
        return drifted(alarm)
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


def drifted(alarm: Alarm) -> str:
    """What moved, with its figures."""
    said: dict[str, Any] = {"subject": "", "of": "", "n": "?", "since": "", **alarm.figures}
    for name, as_percent in (("value", "percent"), *((each, f"{each}_percent") for each in SHARES)):
        number = said.get(name)
        said[as_percent] = "?" if number is None else f"{100 * number:.3g}"
    for name in ("value", "line"):
        said[name] = "?" if said.get(name) is None else f"{said[name]:.3g}"
    code = str(said["of"])
    said["of"] = str(Category(code).label) if code in Category.values else code or _("Any harm")
    words = DRIFTED.get(alarm.measure)
    return str(words) % said if words is not None else alarm.key
