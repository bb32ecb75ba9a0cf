"""What reviewers know, as leads keep it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import User
from review import access
from review.models import ReviewerProfile

LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
MOST: Final = 20


class UnfitProfile(Exception):
    """It cannot be kept like that; nothing was changed."""


@transaction.atomic
def keep(person: User, *, languages: Iterable[str], specialties: Iterable[str], actor: Actor) -> ReviewerProfile:
    """Afterwards this is what the person knows; queues that ask for it are open to them. Raises UnfitProfile."""
    spoken = list(dict.fromkeys(one.strip().lower() for one in languages if one.strip()))
    fields = list(dict.fromkeys(one.strip().lower() for one in specialties if one.strip()))
    if not all(LANGUAGE.fullmatch(one) for one in spoken):
        raise UnfitProfile(_("Languages go by two or three letters, as in de, fr."))
    if not all(one.isprintable() and len(one) <= 40 for one in fields):
        raise UnfitProfile(_("A specialty has at most 40 characters."))
    if max(len(spoken), len(fields)) > MOST:
        raise UnfitProfile(_("At most %(most)d of each.") % {"most": MOST})
    said = {"languages": spoken, "specialties": fields}
    profile, _created = ReviewerProfile.objects.update_or_create(person=person, defaults=said)
    access.forget()
    audit.record(audit.Entry(actor, "profile.changed", f"person:{person.pk}", said))
    return profile
