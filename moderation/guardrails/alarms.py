"""Alarms: raised by the house, seen and closed by people, and what is stopped by itself when one is raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit, automation
from moderation.actors import HOUSE, Actor
from moderation.guardrails.events import events
from moderation.guardrails.settings import MEASURES, Guards
from moderation.models import Alarm, AlarmSight, Client, TriagePlan, User, Verdict, Watched
from moderation.policies import parsed
from moderation.taxonomy import Category
from moderation.triage.scoring import pinned

LONGEST: Final = 2000
KEYS: Final = {False: "guardrails:open", True: "drift:open"}
COUNT_SECONDS: Final = 5
COUNTED: Final = 1000  # alarms


class UnfitClosing(ValueError):
    """It cannot be closed like that; the message says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as usual: where, which way, since when, and by which figures."""

    scope: str
    key: str
    measure: str
    chart: str
    rising: bool
    hour: datetime
    figures: Mapping[str, Any]


def standing(*, drift: bool | None = None) -> QuerySet[Alarm]:
    """The open ones; `drift`: only those of drift, which ML engineers answer, or only the others, which leads do."""
    rows = Alarm.objects.filter(closed_at__isnull=True)
    if drift is None:
        return rows
    return rows.filter(scope=Watched.DRIFT) if drift else rows.exclude(scope=Watched.DRIFT)


@transaction.atomic
def ring(found: Finding, guards: Guards) -> Alarm | None:
    """Afterwards an alarm of this is open. One that was open already goes on, and None is returned; a new one falls
    back to people as far as the lead said so, recorded as the house's act.
    """
    open_one = standing().select_for_update().filter(scope=found.scope, key=found.key, measure=found.measure)
    if open_one.exists():
        open_one.filter(last_hour__lt=found.hour).update(last_hour=found.hour)
        return None
    try:
        with transaction.atomic():
            alarm = Alarm.objects.create(
                scope=found.scope,
                key=found.key,
                measure=found.measure,
                chart=found.chart,
                rising=found.rising,
                figures=dict(found.figures),
                hour=found.hour,
                last_hour=found.hour,
            )
    except IntegrityError:  # another worker raised it at this moment
        return None
    audit.reserve([subject(alarm), "automation"])
    alarm.stopped = fall_back(alarm) if found.rising and found.measure in guards.fallback else []
    alarm.save(update_fields=["stopped"])
    said = {"chart": alarm.chart, "rising": alarm.rising, "figures": alarm.figures, "stopped": alarm.stopped}
    record("alarm.raised", alarm, HOUSE, **said)
    transaction.on_commit(forget)
    return alarm


def fall_back(alarm: Alarm) -> list[list[str]]:
    """Stops the action where the alarm was raised: everywhere for a plan, in its categories for a classifier, with
    what a client sends for that client. Returns what it stopped, and not what was stopped already.
    """
    if alarm.measure not in MEASURES:
        return []
    client = Client.objects.filter(pk=alarm.key).first() if alarm.scope == "client" else None
    standing = automation.stopped_now()
    before = standing.of(client.pk) if client else standing.everywhere
    reason = _("A guardrail raised an alarm: %(alarm)s.") % {"alarm": alarm}
    done = []
    for category in concerned(alarm):
        if not before.bars(alarm.measure, category):
            automation.stop(HOUSE, category=category, action=alarm.measure, client=client, reason=reason)
            done.append([category, alarm.measure])
    return done


def concerned(alarm: Alarm) -> Sequence[str]:
    """The categories to stop in; [""] for all of them."""
    match alarm.scope:
        case "plan" | "client":
            return [""]
        case "category":
            return [alarm.key] if alarm.key in Category.values else []
        case "classifier":
            row = TriagePlan.objects.in_force()
            versions = pinned(parsed(row)) if row else []
            return sorted({code for one in versions if one.name == alarm.key for code in one.categories})
    return []


def see(person: User, *, drift: bool) -> None:
    """Afterwards it is known that this person has seen what is open."""
    unseen = standing(drift=drift).exclude(sights__person=person).values_list("pk", flat=True)
    rows = [AlarmSight(alarm_id=key, person=person) for key in unseen]
    AlarmSight.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def close(key: UUID, *, person: User, verdict: str, note: str) -> Alarm:
    """Afterwards the alarm is closed; what the house stopped for it stays stopped until somebody lifts it. Raises
    UnfitClosing or Alarm.DoesNotExist.
    """
    words = note.replace("\x00", "").strip()
    if verdict not in Verdict.values:
        raise UnfitClosing(_("Say whether it was an incident or is how things are now."))
    if not words:
        raise UnfitClosing(_("Say what you found: it stands in the audit log."))
    alarm = Alarm.objects.select_for_update(no_key=True).get(pk=key)
    if alarm.closed_at is not None:
        raise UnfitClosing(_("%(who)s has closed this alarm already.") % {"who": alarm.closed_by})
    actor = Actor.person(person)
    alarm.closed_at, alarm.closed_by = timezone.now(), actor.label[:200]
    alarm.verdict, alarm.note = verdict, words[:LONGEST]
    alarm.save(update_fields=["closed_at", "closed_by", "verdict", "note"])
    record("alarm.closed", alarm, actor, verdict=verdict, note=alarm.note)
    transaction.on_commit(forget)
    return alarm


def subject(alarm: Alarm) -> str:
    return f"alarm:{alarm.pk}"


def record(action: str, alarm: Alarm, actor: Actor, **more: Any) -> None:
    said = {"scope": alarm.scope, "key": alarm.key, "measure": alarm.measure}
    audit.record(audit.Entry(actor, action, subject(alarm), {**said, **more}))


@transaction.atomic
def close_all(keys: Sequence[UUID], *, person: User, verdict: str, note: str) -> list[Alarm]:
    """Those that one event rang, together: all of them, or none. Raises as `close` does."""
    return [close(key, person=person, verdict=verdict, note=note) for key in sorted(keys)]


def count(*, drift: bool) -> int:
    """How many events of the guardrails have alarms open, or how many alarms of drift are; at most a few seconds old:
    every page of those who answer them asks.
    """

    def counted() -> int:
        rows = standing(drift=drift)[:COUNTED]
        return len(rows) if drift else len(events(rows))

    found = cache.get_or_set(KEYS[drift], counted, COUNT_SECONDS)
    return int(found or 0)


def forget() -> None:
    cache.delete_many(KEYS.values())
