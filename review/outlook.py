"""How late a queue is, and how long what comes now will wait: figures of bounded cost, however long the backlog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from review.models import EffectState, Verdict

SPAN: Final = timedelta(hours=1)
LOOKED_AT: Final = 2_000  # of a queue's oldest requests, for how late they are
SAMPLED: Final = 20_000  # of the newest arrivals and decisions, for how fast they come

LATENESS: Final = """
SELECT named.queue, count(*), count(*) FILTER (WHERE used >= 0.5), count(*) FILTER (WHERE used >= 0.8),
    count(*) FILTER (WHERE used >= 1)
FROM unnest(%(queues)s::text[]) named (queue) CROSS JOIN LATERAL (
    SELECT CASE WHEN due_at > opened_at
        THEN extract(epoch FROM %(now)s - opened_at) / extract(epoch FROM due_at - opened_at)
        WHEN due_at <= %(now)s THEN 1 END AS used
    FROM moderation_reviewrequest WHERE closed_at IS NULL AND queue = named.queue ORDER BY opened_at LIMIT %(most)s
) oldest GROUP BY named.queue
"""
# Keys are ordered by time, so the newest rows are a stretch of the primary key.
ARRIVED: Final = """
SELECT queue, count(*), min(min(opened_at)) OVER (), sum(count(*)) OVER () FROM (
    SELECT queue, opened_at FROM moderation_reviewrequest WHERE id >= %(since)s ORDER BY id DESC LIMIT %(most)s
) newest GROUP BY queue
"""
SERVED: Final = f"""
SELECT queue, count(*), min(min(decided_at)) OVER (), sum(count(*)) OVER () FROM (
    SELECT effect.queue, decision.decided_at FROM review_decision decision
    JOIN review_effect effect ON effect.decision_id = decision.id
    WHERE decision.id >= %(since)s AND effect.decision_id >= %(since)s AND decision.verdict <> '{Verdict.SKIP.value}'
        AND effect.state <> '{EffectState.UNDONE.value}'
    ORDER BY decision.id DESC LIMIT %(most)s
) newest GROUP BY queue
"""  # noqa: S608 - our own constants


@dataclass(frozen=True, slots=True)
class Outlook:
    """One queue's. Of the `looked_at` oldest open requests, how many have used half, four fifths or all of the time to
    their due date; and how many came and were decided, an hour.
    """

    looked_at: int = 0
    half: int = 0
    most: int = 0
    late: int = 0
    arrivals: float = 0.0
    decisions: float = 0.0

    def wait(self, ahead: int) -> timedelta | None:
        """How long a request with so many ahead of it waits at the pace of the last hour; None where nobody decides."""
        if not ahead:
            return timedelta(0)
        return timedelta(hours=ahead / self.decisions) if self.decisions else None

    def share(self, number: int) -> float:
        return number / self.looked_at if self.looked_at else 0.0


def outlooks(queues: list[str], *, now: datetime | None = None) -> dict[str, Outlook]:
    """Each of these queues' outlook. Three statements, which read at most a fixed number of rows."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(LATENESS, {"queues": queues, "now": now, "most": LOOKED_AT})
        late = {queue: (looked_at, half, most, late) for queue, looked_at, half, most, late in cursor.fetchall()}
    arrived, served = rates(ARRIVED, now), rates(SERVED, now)
    found = {}
    for queue in queues:
        looked_at, half, most, over = late.get(queue, (0, 0, 0, 0))
        found[queue] = Outlook(looked_at, half, most, over, arrived.get(queue, 0.0), served.get(queue, 0.0))
    return found


def rates(statement: str, now: datetime) -> dict[str, float]:
    """How many an hour, by queue. Where there were more than are looked at, in the time these took."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"since": first_key(now - SPAN), "most": SAMPLED})
        rows = cursor.fetchall()
    if not rows:
        return {}
    _queue, _number, first, total = rows[0]
    span = max(now - first, timedelta(seconds=1)) if total >= SAMPLED else SPAN
    return {queue: number * (timedelta(hours=1) / span) for queue, number, _first, _total in rows}


def first_key(moment: datetime) -> UUID:
    """No UUIDv7 made at this moment or later is smaller."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)
