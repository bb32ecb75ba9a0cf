"""Copies that two workers took at the same moment: neither saw the other, so both began a cluster. Here they join.

Only what came in lately is looked at, so a pass costs the same whatever the archive. The younger cluster moves into the
older; an image whose own cluster moved while it was being placed follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from classifiers.hashes import BankIndex
from moderation.triage.archive import RADIUS

LATELY: Final = 20_000  # fingerprints, some minutes of what a busy house takes in

RECENT: Final = """
SELECT f.seq, f.pdq, f.sha256, s.id, s.cluster FROM moderation_fingerprint f
JOIN moderation_submission s ON s.id = f.submission_id WHERE s.cluster IS NOT NULL ORDER BY f.seq DESC LIMIT %s
"""
MOVE: Final = "UPDATE moderation_submission SET cluster = %s WHERE cluster = %s"
FOLLOW: Final = """
UPDATE moderation_submission s SET cluster = first.cluster FROM moderation_submission first
WHERE s.cluster = ANY(%s) AND first.id = s.cluster AND first.cluster <> first.id
"""


@dataclass(frozen=True, slots=True)
class Recent:
    seq: int
    pdq: bytes | None
    sha256: str | None
    submission: UUID
    cluster: UUID

    @property
    def began_one(self) -> bool:
        return self.cluster == self.submission


def join_clusters(*, lately: int = LATELY) -> int:
    """Afterwards no cluster that began lately has an older neighbour; returns how many were moved. Idempotent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('loupe.join_clusters'))")
        if not cursor.fetchone()[0]:
            return 0  # another pass is at it
        try:
            return join(cursor, lately)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('loupe.join_clusters'))")


def join(cursor: CursorWrapper, lately: int) -> int:
    cursor.execute(RECENT, [lately])
    rows = [Recent(seq, None if pdq is None else bytes(pdq), *rest) for seq, pdq, *rest in cursor.fetchall()]
    rows.reverse()
    moves = moves_among(rows)
    for younger, older in moves.items():  # each by itself: what another transaction holds delays no other
        cursor.execute(MOVE, [older, younger])
    cursor.execute(FOLLOW, [list({row.cluster for row in rows})])
    return len(moves)


def moves_among(rows: Sequence[Recent]) -> dict[UUID, UUID]:
    """Which cluster goes into which, by `rows` in the order of their numbers. Never in a circle: always to an older."""
    index = BankIndex((row.seq, row.pdq) for row in rows if row.pdq is not None)
    beginners = [row for row in rows if row.began_one and row.pdq is not None]
    found = index.search([row.pdq for row in beginners if row.pdq is not None], RADIUS)
    by_seq = {row.seq: row for row in rows}
    near = {row.seq: min(seq for seq, _distance in hits) for row, hits in zip(beginners, found, strict=True)}
    first_of: dict[str, Recent] = {}
    moves: dict[UUID, UUID] = {}
    for row in rows:
        older = by_seq[near.get(row.seq, row.seq)]
        if row.sha256 is not None:
            older = first_of.setdefault(row.sha256, row)
        home = moves.get(older.cluster, older.cluster)
        if row.began_one and older.seq < row.seq and home != row.cluster:
            moves[row.cluster] = home
    return moves
