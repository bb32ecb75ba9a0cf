"""Changing what guardrails go by. One person may: it can only make them stricter or calmer within their bounds."""

from __future__ import annotations

from django.db import transaction

from moderation import audit
from moderation.actors import Actor
from moderation.guardrails.settings import Guards
from moderation.models import GuardrailSettings, User


def in_force() -> Guards:
    newest = GuardrailSettings.objects.order_by("-id").first()
    return Guards.load(newest.body) if newest else Guards()


@transaction.atomic
def choose(edition: Guards, *, person: User) -> GuardrailSettings | None:
    """Afterwards this edition is in force, from each worker's next batch on; None when it says what holds already."""
    before, after = in_force().dump(), edition.dump()
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        return None
    row = GuardrailSettings.objects.create(body=after, made_by=person)
    said = {"edition": str(row.pk), "changed": changed}
    audit.record(audit.Entry(Actor.person(person), "guardrails.changed", "guardrails", said))
    return row
