"""The near-duplicates of an image, for whoever decides on it: how many there are, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from moderation.models import Status, Submission, User
from review import images

SEEN: Final = 100  # members of a cluster that are looked at; of more it is said that there are more
SHOWN: Final = 6

MEMBERS: Final = """
SELECT wanted.cluster, s.id, s.status, s.decided_by FROM unnest(%s::uuid[]) wanted (cluster) CROSS JOIN LATERAL (
    SELECT id, status, decided_by FROM moderation_submission WHERE cluster = wanted.cluster LIMIT %s
) s ORDER BY s.id DESC
"""


@dataclass(frozen=True, slots=True)
class Member:
    submission: UUID
    status: Status
    decided_by: str


@dataclass(frozen=True, slots=True)
class Kin:
    """The other members of an image's cluster, newest first; `more` when not all were looked at. What lies under legal
    hold is counted and not shown.
    """

    members: Sequence[Member]
    more: bool = False

    @property
    def count(self) -> str:
        return f"{len(self.members)}+" if self.more else str(len(self.members))

    @property
    def fates(self) -> list[str]:
        """How many came to what, in words; what people decided first."""
        found = Counter(words(one) for one in self.members)
        ranked = sorted(found, key=lambda each: (each[0], -found[each]))
        return [f"{found[each]} {each[1]}" for each in ranked]

    def glimpses(self, person: User) -> list[str]:
        shown = [one for one in self.members if one.status != Status.QUARANTINED][:SHOWN]
        if not images.may_glimpse(person):
            return []
        return [images.link(Submission(id=one.submission), person, images.Variant.GLIMPSE) for one in shown]


def words(one: Member) -> tuple[int, str]:
    """What became of it, and its place among the fates."""
    if one.status == Status.QUARANTINED:
        return 4, _("under legal hold")
    if one.status not in {Status.APPROVED, Status.BLOCKED}:
        return 3, _("undecided")
    person, approved = one.decided_by == "person", one.status == Status.APPROVED
    if person:
        return 0 if approved else 1, _("approved by a person") if approved else _("blocked by a person")
    return 2, _("approved by machine") if approved else _("blocked by machine")


def kin_of(submissions: Sequence[Submission]) -> Mapping[UUID, Kin]:
    """The near-duplicates of each that has any. One query, bounded however large a cluster is."""
    clusters = {one.cluster for one in submissions if one.cluster is not None}
    if not clusters:
        return {}
    found: dict[UUID, list[Member]] = {cluster: [] for cluster in clusters}
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [list(clusters), SEEN])
        for cluster, key, status, decided_by in cursor.fetchall():
            found[cluster].append(Member(key, Status(status), decided_by))
    kin = {}
    for one in submissions:
        members = found.get(one.cluster, []) if one.cluster is not None else []
        others = [member for member in members if member.submission != one.pk]
        if others:
            kin[one.pk] = Kin(others, more=len(members) == SEEN)
    return kin
