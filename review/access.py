"""Who may work on which queue."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from moderation.models import Scope, User
from moderation.queues import known
from moderation.queues.definitions import ESCALATED
from review.models import ReviewerProfile


@dataclass
class Access:
    """One person's. Asks the database at most once, and only when some queue wants a language or a specialty."""

    person: User

    @cached_property
    def profile(self) -> ReviewerProfile:
        return profile_of(self.person)

    def to(self, slug: str) -> bool:
        """What was escalated is for seniors; a queue with members is theirs; one that wants languages or specialties is
        open to who has one of each.
        """
        if slug == ESCALATED and not self.person.has_scope(Scope.REVIEW_ESCALATED):
            return False
        queue = known.definitions().of(slug)
        return (
            (not queue.members or self.person.pk in queue.members)
            and (not queue.spoken or not queue.spoken.isdisjoint(self.profile.languages))
            and (not queue.specialties or not queue.specialties.isdisjoint(self.profile.specialties))
        )


_known: dict[UUID, tuple[float, ReviewerProfile]] = {}
MOST: Final = 1000  # people a process remembers


def profile_of(person: User) -> ReviewerProfile:
    """What a person knows; read again when it is as old as what this process knows of queues may be."""
    now = time.monotonic()
    read, profile = _known.get(person.pk, (0.0, None))
    if profile is None or now - read > known.SPAN.total_seconds():
        profile = ReviewerProfile.objects.filter(person=person).first() or ReviewerProfile(person=person)
        if len(_known) >= MOST:
            _known.clear()
        _known[person.pk] = (now, profile)
    return profile


def forget() -> None:
    """The next look reads the rows."""
    _known.clear()
