"""What stands around an image: the others of its batch, and what its author sent before. For whoever decides on it."""

from __future__ import annotations

import json
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from moderation.models import Status, Submission, User
from review import images
from review.kin import Member

SALT: Final = "review.surroundings.author"
BATCH: Final = "batch_id"  # of `context`, as the integrator declares it
SIBLINGS: Final = 12
LOOKED_BACK: Final = 100  # images of one author
HOUR: Final = 60 * 60 * 1000

# Where no batch is declared: the same author's images of the same prompt and generator, of an hour before and after.
# Both ways walk one index a row, and no further than the limit.
AROUND: Final = """
SELECT v.id, s.id, s.status, s.decided_by
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (
    id uuid, client uuid, batch text, author varchar, prompt text, generator text, first uuid, last uuid
)
CROSS JOIN LATERAL (
    (SELECT id, status, decided_by FROM moderation_submission
    WHERE v.batch <> '' AND context ? 'batch_id' AND client_id = v.client AND context ->> 'batch_id' = v.batch
        AND id <> v.id
    ORDER BY id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT id, status, decided_by FROM (
        SELECT id, status, decided_by, prompt, generator FROM moderation_submission
        WHERE v.batch = '' AND client_id = v.client AND author_ref = v.author AND author_ref <> ''
            AND id BETWEEN v.first AND v.last
        ORDER BY id DESC LIMIT %(back)s
    ) near
    WHERE id <> v.id AND prompt <> '' AND prompt = v.prompt AND coalesce(generator ->> 'name', '') = v.generator
    ORDER BY id DESC LIMIT %(most)s)
) s
"""
PAST: Final = """
SELECT v.id, past.status, count(*)
FROM jsonb_to_recordset(%s::jsonb) AS v (id uuid, client uuid, author varchar)
CROSS JOIN LATERAL (
    SELECT status FROM moderation_submission
    WHERE client_id = v.client AND author_ref = v.author AND author_ref <> '' AND id <> v.id
    ORDER BY id DESC LIMIT %s
) past
GROUP BY v.id, past.status
"""


@dataclass(frozen=True, slots=True)
class Author:
    """Under a name that is theirs in this house alone, and what became of their last images before this one."""

    name: str
    counts: Mapping[Status, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def fates(self) -> list[str]:
        words = {
            Status.BLOCKED: _("%(n)d blocked"),
            Status.QUARANTINED: _("%(n)d under legal hold"),
            Status.IN_REVIEW: _("%(n)d in review"),
            Status.APPROVED: _("%(n)d approved"),
            Status.RECEIVED: _("%(n)d not looked at yet"),
        }
        return [words[one] % {"n": self.counts[one]} for one in words if self.counts.get(one)]


@dataclass(frozen=True, slots=True)
class Surroundings:
    author: Author | None = None
    siblings: Sequence[Member] = ()

    def glimpses(self, person: User) -> list[str]:
        """Links to the siblings, blurred; none to what lies under legal hold."""
        if not images.may_glimpse(person):
            return []
        shown = [one for one in self.siblings if one.status != Status.QUARANTINED]
        return [images.link(Submission(id=one.submission), person, images.Variant.GLIMPSE) for one in shown]


def surroundings_of(submissions: Sequence[Submission]) -> Mapping[UUID, Surroundings]:
    """By image. Two queries, bounded however much an author sent or a batch holds."""
    if not submissions:
        return {}
    past = authors_of([one for one in submissions if one.author_ref])
    siblings = siblings_of(submissions)
    return {one.pk: Surroundings(past.get(one.pk), siblings.get(one.pk, [])) for one in submissions}


def authors_of(submissions: Sequence[Submission]) -> dict[UUID, Author]:
    counts: dict[UUID, dict[Status, int]] = {one.pk: {} for one in submissions}
    asked = [{"id": str(one.pk), "client": str(one.client_id), "author": one.author_ref} for one in submissions]
    with connection.cursor() as cursor:
        cursor.execute(PAST, [json.dumps(asked), LOOKED_BACK])
        for key, status, count in cursor.fetchall():
            counts[key][Status(status)] = count
    return {one.pk: Author(pseudonym(one), counts[one.pk]) for one in submissions}


def pseudonym(submission: Submission) -> str:
    """The same for all images of an author with one client; says nothing of who they are there."""
    digest = salted_hmac(SALT, f"{submission.client_id}/{submission.author_ref}", algorithm="sha256").digest()
    return b32encode(digest).decode()[:6]


def siblings_of(submissions: Sequence[Submission]) -> dict[UUID, list[Member]]:
    found: dict[UUID, list[Member]] = {}
    rows = [described(one) for one in submissions]
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"rows": json.dumps(rows), "most": SIBLINGS, "back": LOOKED_BACK})
        for key, sibling, status, decided_by in cursor.fetchall():
            found.setdefault(key, []).append(Member(sibling, Status(status), decided_by))
    return found


def described(one: Submission) -> dict[str, Any]:
    batch = one.context.get(BATCH, "")
    made = one.pk.int >> 80  # UUIDv7 begins with milliseconds
    return {
        "id": str(one.pk),
        "client": str(one.client_id),
        "batch": str(batch) if isinstance(batch, str | int) and not isinstance(batch, bool) else "",
        "author": one.author_ref,
        "prompt": one.prompt,
        "generator": str(one.generator.get("name") or ""),
        "first": str(UUID(int=max(made - HOUR, 0) << 80)),
        "last": str(UUID(int=(made + HOUR + 1) << 80)),
    }
