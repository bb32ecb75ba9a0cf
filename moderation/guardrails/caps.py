"""How much machines may block in a day, counted exactly whichever workers block it.

A day is one of UTC. Only what a machine decided counts: an image that is blocked because people know it, or decided a
copy of it, is blocked whatever the count. What comes after the last free place goes to a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from moderation.guardrails import choosing
from moderation.guardrails.settings import Guards
from moderation.models import BlockTally, OutcomeCount

Place = tuple[str, str]  # scope and key
COLUMN: Final = {"plan": "plan", "category": "category", "client": "client_id"}
# Locked until the batch is settled, in the order of their names: nobody else counts meanwhile, and nobody waits in a
# circle.
LOCK: Final = """
SELECT t.scope, t.key, t.blocked FROM moderation_blocktally t
JOIN unnest(%s::text[], %s::text[]) w (scope, key) ON w.scope = t.scope AND w.key = t.key
WHERE t.day = %s ORDER BY t.scope, t.key FOR UPDATE OF t
"""
KEEP: Final = """
UPDATE moderation_blocktally t SET blocked = w.blocked
FROM unnest(%s::text[], %s::text[], %s::int[]) w (scope, key, blocked)
WHERE t.day = %s AND t.scope = w.scope AND t.key = w.key
"""


def reserve(blocks: Sequence[tuple[str, object]], *, plan: int) -> list[str]:
    """Of each block, given by its category and its client's key: the scope whose cap leaves no place for it, or "".
    Those with "" are counted. In the transaction that settles them; without caps it asks only for the settings.
    """
    guards = choosing.in_force()
    wanted = [places(guards, plan, category, client) for category, client in blocks]
    named = sorted({place for found in wanted for place in found})
    if not named:
        return [""] * len(blocks)
    today = timezone.now().date()
    taken = counted(named, today)
    answers = []
    for found in wanted:
        full = next((scope for scope, key in found if taken[scope, key] >= guards.cap_of(scope, key)), "")
        answers.append(full)
        if not full:
            taken.update(found)
    keep(taken, today)
    return answers


def places(guards: Guards, plan: int, category: str, client: object) -> list[Place]:
    """Where such a block takes a place: wherever there is a cap."""
    found = (("plan", str(plan)), ("category", category), ("client", str(client)))
    return [place for place in found if guards.cap_of(*place)]


def counted(named: Sequence[Place], today: date) -> Counter[Place]:
    """What was blocked today; the rows stay locked. One that is counted for the first time begins with what triage
    blocked today so far, known images among it.
    """
    found = locked(named, today)
    missing = [place for place in named if place not in found]
    if missing:
        rows = [
            BlockTally(day=today, scope=scope, key=key, blocked=so_far(scope, key, today)) for scope, key in missing
        ]
        BlockTally.objects.bulk_create(rows, ignore_conflicts=True)
        found = locked(named, today)
    return found


def locked(named: Sequence[Place], today: date) -> Counter[Place]:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [*map(list, zip(*named, strict=True)), today])
        return Counter({(scope, key): blocked for scope, key, blocked in cursor.fetchall()})


def so_far(scope: str, key: str, today: date) -> int:
    midnight = datetime.combine(today, time(), UTC)
    found = OutcomeCount.objects.filter(hour__gte=midnight, **{COLUMN[scope]: key})
    return int(found.aggregate(all=Sum("blocked"))["all"] or 0)


def keep(taken: Counter[Place], today: date) -> None:
    scopes, keys = zip(*taken, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [list(scopes), list(keys), list(taken.values()), today])


def today(guards: Guards) -> list[tuple[BlockTally, int]]:
    """What has a cap and was counted today, each with its cap, the fullest first."""
    rows = BlockTally.objects.filter(day=timezone.now().date())
    found = [(row, most) for row in rows if (most := guards.cap_of(row.scope, row.key))]
    return sorted(found, key=lambda one: -one[0].blocked / one[1])
