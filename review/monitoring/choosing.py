"""Changing the lines of monitoring. One person may: within their bounds they can only make it stricter or calmer."""

from __future__ import annotations

from django.db import transaction

from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review.models import MonitoringSettings
from review.monitoring.settings import Lines


def in_force() -> Lines:
    newest = MonitoringSettings.objects.order_by("-id").first()
    return Lines.load(newest.body) if newest else Lines()


@transaction.atomic
def choose(edition: Lines, *, person: User) -> MonitoringSettings | None:
    """Afterwards this edition is in force, from the next look on; None when it says what holds already."""
    before, after = in_force().dump(), edition.dump()
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        return None
    row = MonitoringSettings.objects.create(body=after, made_by=person)
    said = {"edition": str(row.pk), "changed": changed}
    audit.record(audit.Entry(Actor.person(person), "monitoring.changed", "monitoring", said))
    return row
