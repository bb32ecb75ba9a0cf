"""Searches that are kept under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review.models import SavedView
from review.search.filters import canonical

MOST: Final = 100  # of one person
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 4000


class UnfitView(Exception):
    """It cannot be kept like that; the message says why."""


def views_of(person: User) -> Sequence[SavedView]:
    """One's own and the shared ones, by name. One query."""
    seen = SavedView.objects.filter(Q(owner=person) | Q(shared=True)).select_related("owner")
    return list(seen.order_by("name", "id")[: 2 * MOST])


@transaction.atomic
def keep(person: User, *, name: str, query: str, shared: bool) -> SavedView:
    """Raises UnfitView."""
    named, searched = name.strip(), canonical(QueryDict(query))
    if not named or len(named) > LONGEST_NAME or not named.isprintable():
        raise UnfitView(_("A view has a name of at most %(most)d characters.") % {"most": LONGEST_NAME})
    if not searched or len(searched) > LONGEST_QUERY:
        raise UnfitView(_("Filter by something first: a view without a filter shows everything."))
    if SavedView.objects.filter(owner=person).count() >= MOST:
        raise UnfitView(_("You keep %(most)d views already. Remove one first.") % {"most": MOST})
    view = SavedView(owner=person, name=named, query=searched, shared=shared)
    try:
        with transaction.atomic():
            view.save(force_insert=True)
    except IntegrityError as error:
        raise UnfitView(_("You have a view of this name. Choose another.")) from error
    told = {"view": str(view.pk), "name": named, "query": searched, "shared": shared}
    audit.record(audit.Entry(Actor.person(person), "view.kept", f"view:{view.pk}", told))
    return view


@transaction.atomic
def remove(view_id: UUID, person: User) -> None:
    """Raises SavedView.DoesNotExist, for another's view too."""
    view = SavedView.objects.get(pk=view_id, owner=person)
    audit.record(audit.Entry(Actor.person(person), "view.removed", f"view:{view.pk}", {"name": view.name}))
    view.delete()
