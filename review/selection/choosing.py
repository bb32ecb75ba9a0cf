"""Changing the budget and the mix."""

from __future__ import annotations

from django.db import transaction

from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review.models import SelectionSettings
from review.selection.budgets import Budget


def in_force() -> Budget:
    newest = SelectionSettings.objects.order_by("-id").first()
    return Budget.load(newest.body) if newest else Budget()


@transaction.atomic
def choose(edition: Budget, *, person: User) -> SelectionSettings | None:
    """Afterwards this edition is in force, from the next draw on; None when it says what holds already."""
    before, after = in_force().dump(), edition.dump()
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        return None
    row = SelectionSettings.objects.create(body=after, made_by=person)
    said = {"edition": str(row.pk), "changed": changed}
    audit.record(audit.Entry(Actor.person(person), "selection.changed", "selection:settings", said))
    return row
