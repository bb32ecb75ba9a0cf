"""Defining a queue, changing it, and retiring it: each is audited with what holds afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.ingest.territories import TERRITORIES
from moderation.models import QueueOrder, Reason, ReviewQueue
from moderation.queues import known
from moderation.queues.definitions import ESCALATED, GENERAL
from moderation.taxonomy import Category

SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
SAID: Final = ("title", "position", "order", "conditions", "due", "calendar", "access")
MOST: Final = 100  # queues, and entries of one list
LONGEST_DUE: Final = 24 * 365.0  # hours


class UnfitQueue(Exception):
    """The queue cannot be as asked; nothing was changed. `field` names what to mend."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@transaction.atomic
def define(
    slug: str,
    *,
    title: str,
    actor: Actor,
    position: int = 100,
    order: str = QueueOrder.URGENT,
    conditions: Mapping[str, Any] | None = None,
    due: Mapping[str, Any] | None = None,
    calendar: Mapping[str, Any] | None = None,
    access: Mapping[str, Any] | None = None,
) -> ReviewQueue:
    """Afterwards the queue is as said, new or changed, and takes what comes from now on. What is open in it already
    keeps its due date; its order follows soon (`moderation.requests.settle`). Raises UnfitQueue.
    """
    draft = drafted(
        slug,
        title=title,
        position=position,
        order=order,
        conditions=conditions,
        due=due,
        calendar=calendar,
        access=access,
    )
    row = ReviewQueue.objects.select_for_update().filter(pk=slug).first()
    is_new = row is None
    if is_new and ReviewQueue.objects.count() >= MOST:
        raise UnfitQueue("slug", _("There are %(most)d queues already. Change one of them.") % {"most": MOST})
    row = row or draft
    for name in SAID:
        setattr(row, name, getattr(draft, name))
    row.retired_at, row.unsettled = None, True
    row.save()
    known.forget()
    transaction.on_commit(known.forget)
    record(row, "queue.defined" if is_new else "queue.changed", actor)
    return row


def drafted(
    slug: str,
    *,
    title: str,
    position: int = 100,
    order: str = QueueOrder.URGENT,
    conditions: Mapping[str, Any] | None = None,
    due: Mapping[str, Any] | None = None,
    calendar: Mapping[str, Any] | None = None,
    access: Mapping[str, Any] | None = None,
) -> ReviewQueue:
    """The row as it would be, not saved. Raises UnfitQueue."""
    if not SLUG.fullmatch(slug) or len(slug) > 50:
        raise UnfitQueue("slug", _("Small letters, digits and single hyphens, at most 50."))
    if slug in {GENERAL, ESCALATED} and any((conditions or {}).values()):
        raise UnfitQueue("conditions", _("The general and the escalated queue take what no other does: no conditions."))
    return ReviewQueue(
        slug=slug,
        title=titled(title),
        position=position,
        order=ordered(order),
        conditions=conditions_of(conditions or {}),
        due=due_of(due or {}),
        calendar=calendar_of(calendar),
        access=access_of(access or {}),
    )


@transaction.atomic
def retire(slug: str, *, actor: Actor) -> ReviewQueue:
    """Afterwards the queue takes nothing more; what waits in it goes to the general one. Raises UnfitQueue or
    ReviewQueue.DoesNotExist.
    """
    if slug in {GENERAL, ESCALATED}:
        raise UnfitQueue("slug", _("The general and the escalated queue are always there."))
    row = ReviewQueue.objects.select_for_update().get(pk=slug, retired_at__isnull=True)
    row.retired_at, row.unsettled = timezone.now(), True
    row.save()
    known.forget()
    transaction.on_commit(known.forget)
    record(row, "queue.retired", actor)
    return row


def record(row: ReviewQueue, action: str, actor: Actor) -> None:
    said = {} if action == "queue.retired" else {name: getattr(row, name) for name in SAID}
    audit.record(audit.Entry(actor, action, f"queue:{row.slug}", said))


def titled(title: str) -> str:
    title = title.strip()
    if not title or not title.isprintable() or len(title) > 80:
        raise UnfitQueue("title", _("A name has 1 to 80 characters."))
    return title


def ordered(order: str) -> str:
    if order not in QueueOrder.values:
        raise UnfitQueue("order", _("Most urgent first, or oldest first."))
    return order


def conditions_of(said: Mapping[str, Any]) -> dict[str, Any]:
    severity = said.get("least_severity") or 0
    if severity not in range(5):
        raise UnfitQueue("least_severity", _("A severity from 0 to 4."))
    found = {
        "categories": listed(said, "categories", lambda code: code in Category.values),
        "least_severity": severity,
        "territories": listed(said, "territories", lambda code: code in TERRITORIES),
        "languages": listed(said, "languages", LANGUAGE.fullmatch),
        "surfaces": listed(said, "surfaces", lambda text: len(text) <= 100 and text.isprintable()),
        "reasons": listed(said, "reasons", lambda code: code in Reason.values),
        "clients": listed(said, "clients", lambda key: len(key) == 36),
    }
    return {name: value for name, value in found.items() if value}


def access_of(said: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "languages": listed(said, "languages", LANGUAGE.fullmatch, field="spoken"),
        "specialties": listed(said, "specialties", lambda text: len(text) <= 40 and text.isprintable()),
        "members": listed(said, "members", lambda key: len(key) == 36),
    }
    return {name: value for name, value in found.items() if value}


def listed(said: Mapping[str, Any], name: str, fits: Any, *, field: str = "") -> list[str]:
    values = [str(value) for value in said.get(name) or ()]
    for value in values:
        if not fits(value):
            raise UnfitQueue(field or name, _("“%(value)s” cannot be used here.") % {"value": value[:60]})
    if len(values) > MOST:
        raise UnfitQueue(field or name, _("At most %(most)d.") % {"most": MOST})
    return list(dict.fromkeys(values))


def due_of(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if hours := said.get("hours"):
        if len(hours) != 5:
            raise UnfitQueue("hours", _("Five numbers of hours, for severity 0 to 4."))
        found["hours"] = [counted(value, "hours") for value in hours]
    if own := said.get("territories"):
        unknown = next((code for code in own if code not in TERRITORIES), "")
        if unknown:
            raise UnfitQueue("territory_hours", _("“%(code)s” is no country code.") % {"code": unknown[:10]})
        found["territories"] = {
            code: {str(severity): counted(value, "territory_hours") for severity, value in by_severity.items()}
            for code, by_severity in own.items()
        }
        if any(severity not in "01234" for by in found["territories"].values() for severity in by):
            raise UnfitQueue("territory_hours", _("A severity from 0 to 4."))
    return found


def counted(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_DUE:
        raise UnfitQueue(field, _("Hours are a number above 0, up to a year."))
    return float(value)


def calendar_of(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not said:
        return None
    try:
        ZoneInfo(said["zone"])
    except (ZoneInfoNotFoundError, ValueError, KeyError, TypeError) as error:
        raise UnfitQueue("zone", _("Not a time zone; they are named like Europe/Berlin.")) from error
    weekdays = sorted({int(day) for day in said.get("weekdays", ())})
    if not weekdays or not set(weekdays) <= set(range(7)):
        raise UnfitQueue("weekdays", _("Choose at least one day."))
    found: dict[str, Any] = {"zone": said["zone"], "weekdays": weekdays}
    for name in ("opens", "closes"):
        try:
            found[name] = time.fromisoformat(said[name]).strftime("%H:%M")
        except (ValueError, KeyError, TypeError) as error:
            raise UnfitQueue(name, _("A time of day like 09:00.")) from error
    try:
        found["holidays"] = sorted({date.fromisoformat(day).isoformat() for day in said.get("holidays", ())})[:400]
    except (ValueError, TypeError) as error:
        raise UnfitQueue("holidays", _("Days like 2026-12-25, one a line.")) from error
    return found
