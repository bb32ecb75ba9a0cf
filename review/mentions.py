"""Colleagues named in a note: `@sam` in what one writes with a decision reaches sam."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from moderation.models import Scope, User
from review.models import Decision, EffectState, Mention

NAMED: Final = re.compile(r"(?<![\w@.])@([\w][\w.+-]*)")
MOST: Final = 10  # people in one note
SHOWN: Final = 10
COLLEAGUES: Final = 200


def reviewers() -> QuerySet[User]:
    granted = User.groups.through.objects.filter(
        user=OuterRef("pk"),
        group__permissions__codename=Scope.REVIEW,
        group__permissions__content_type__app_label="moderation",
    )
    return User.objects.filter(Q(is_superuser=True) | Exists(granted), is_active=True)


def colleagues(person: User) -> list[str]:
    """The names one may call upon, for completion."""
    return list(reviewers().exclude(pk=person.pk).order_by("username").values_list("username", flat=True)[:COLLEAGUES])


def mention(decision: Decision) -> list[Mention]:
    """Those whom the note names and who review have it on their list; in the transaction of the decision. No statement
    when it names nobody, two else.
    """
    # "@sam." ends a sentence: the name is tried with its last dot and without.
    said = [name.lower() for name in NAMED.findall(decision.note)]
    names = list(dict.fromkeys(form for name in said for form in (name, name.rstrip(".+-"))))[: 2 * MOST]
    if not names:
        return []
    people = reviewers().filter(username__iregex="^(" + "|".join(map(re.escape, names)) + ")$")
    made = [Mention(decision=decision, person=one) for one in people.exclude(pk=decision.reviewer_id)[:MOST]]
    return Mention.objects.bulk_create(made)


def mentions_of(person: User) -> Sequence[Mention]:
    """The latest notes that name this person, of decisions that were not taken back. One query."""
    found = Mention.objects.filter(person=person).exclude(decision__effect__state=EffectState.UNDONE)
    return list(found.select_related("decision__reviewer", "decision__submission").order_by("-id")[:SHOWN])


def read(mentions: Sequence[Mention]) -> None:
    fresh = [one.pk for one in mentions if one.read_at is None]
    if fresh:
        Mention.objects.filter(pk__in=fresh).update(read_at=timezone.now())
