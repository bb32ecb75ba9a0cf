"""What authors did before: one query a batch, whose cost does not grow with the archive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection

from moderation.rules.facts import Author

if TYPE_CHECKING:
    from moderation.models import Submission

LOOKED_BACK: Final = 500  # images of one author; also the most that volume_24h can say
DAY: Final = 24 * 60 * 60 * 1000
# Keys are time-ordered, so "before this image" and "in the 24 hours before" are ranges of the index submission_author.
QUERY: Final = """
SELECT v.id, past.volume, past.strikes, past.blocked, past.settled
FROM jsonb_to_recordset(%s::jsonb) AS v (id uuid, client uuid, author varchar, day uuid)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.id >= v.day) AS volume,
        count(*) FILTER (WHERE s.status IN ('blocked', 'quarantined') AND s.decided_by = 'person') AS strikes,
        count(*) FILTER (WHERE s.status IN ('blocked', 'quarantined')) AS blocked,
        count(*) FILTER (WHERE s.status IN ('approved', 'blocked', 'quarantined')) AS settled
    FROM (
        SELECT id, status, decided_by FROM moderation_submission
        WHERE client_id = v.client AND author_ref = v.author AND author_ref <> '' AND id < v.id
        ORDER BY id DESC LIMIT %s
    ) s
) past
"""


def of_authors(rows: Sequence[Submission]) -> Mapping[UUID, Author]:
    """By image, what its author (`author_ref` within the client) had done before it: strikes are images that a person
    blocked, shares are of what is settled. Looks at the author's last LOOKED_BACK images; without an author, none.
    """
    asked = [
        {"id": str(row.pk), "client": str(row.client_id), "author": row.author_ref, "day": str(a_day_before(row.pk))}
        for row in rows
        if row.author_ref
    ]
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(QUERY, [json.dumps(asked), LOOKED_BACK])
        return {
            key: Author(strikes, volume, round(blocked / settled, 6) if settled else 0.0)
            for key, volume, strikes, blocked, settled in cursor.fetchall()
        }


def a_day_before(key: UUID) -> UUID:
    """The smallest key that could have been made in the 24 hours before this one: UUIDv7 begins with milliseconds."""
    return UUID(int=max((key.int >> 80) - DAY, 0) << 80)
