"""Looking a hash up by hand: PostgreSQL compares it with every entry, so that no index need be in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection

from moderation.banks.fingerprints import LENGTHS, RADIUS, hash_of

MOST: Final = 100
SEARCH: Final = """
SELECT entry.id, bank.name, bank.category, bank.retired_at IS NULL, found.kind, found.distance, entry.label
FROM moderation_bankentry entry JOIN moderation_bank bank ON bank.id = entry.bank_id
CROSS JOIN LATERAL (
    SELECT 'pdq', bit_count(('x' || encode(entry.pdq, 'hex'))::bit(256) # ('x' || %(hash)s)::bit(256))
        WHERE length(%(hash)s) = 64 AND length(entry.pdq) = 32
    UNION ALL SELECT 'sha256', 0 WHERE entry.sha256 = %(hash)s
    UNION ALL SELECT 'md5', 0 WHERE entry.md5 = %(hash)s
) found (kind, distance)
WHERE entry.removed_at IS NULL AND found.distance <= %(radius)s
ORDER BY found.distance, entry.id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    entry: int
    bank: str
    category: str
    in_service: bool
    kind: str
    distance: int
    label: str


def search(value: str, *, radius: int = RADIUS, most: int = MOST) -> list[Found]:
    """The nearest entries to a hash of 64 (PDQ, SHA-256) or 32 (MD5) digits. Raises UnfitHash."""
    kind = "md5" if len(value.strip()) == LENGTHS["md5"] else "pdq"
    wanted = hash_of(value, kind)
    with connection.cursor() as cursor:
        cursor.execute(SEARCH, {"hash": wanted, "radius": radius, "most": most})
        return [Found(*row) for row in cursor.fetchall()]
