"""Changing what is set: a person their own, the organisation its defaults and floors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from moderation.taxonomy import Category
from review.models import OrganisationSettings, ReviewerSettings
from review.wellness.settings import House, UnfitSettings, differing, merged


def house() -> House:
    """The organisation's edition in force."""
    newest = OrganisationSettings.objects.order_by("-id").first()
    return House.load(newest.body) if newest else House()


def own(person: User) -> ReviewerSettings:
    """What this person chose; an unsaved row when nothing."""
    return ReviewerSettings.objects.filter(person=person).first() or ReviewerSettings(person=person)


@transaction.atomic
def choose(person: User, *, comfort: Mapping[str, Any], avoided: Collection[str], volunteers: bool) -> None:
    """Afterwards this holds for the person; who volunteered before has done so since then.

    The log tells that settings were changed and not which: what somebody opted out of is nobody's business. Raises
    UnfitSettings.
    """
    defaults = house()
    effective = asdict(merged(defaults, comfort))
    if unknown := set(avoided) - set(Category.values):
        raise UnfitSettings("avoided", sorted(unknown))
    ReviewerSettings.objects.get_or_create(person=person)
    row = ReviewerSettings.objects.select_for_update().get(person=person)
    row.comfort = differing(defaults, {name: effective[name] for name in comfort})
    row.avoided = sorted(avoided)
    row.severest_since = (row.severest_since or timezone.now()) if volunteers else None
    row.save()
    actor = Actor.person(person)
    audit.record(audit.Entry(actor, "reviewer_settings.changed", str(actor), {}))


@transaction.atomic
def set_house(edition: House, *, person: User) -> OrganisationSettings | None:
    """Afterwards this edition is in force for everybody; None when it says what holds already."""
    before, after = house().dump(), edition.dump()
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changed:
        return None
    row = OrganisationSettings.objects.create(body=after, made_by=person)
    said = {"edition": str(row.pk), "changed": changed}
    audit.record(audit.Entry(Actor.person(person), "organisation_settings.changed", "organisation", said))
    return row
