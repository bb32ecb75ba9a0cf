"""Counting where automation sent what came in: one statement a batch, a few rows an hour."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone

from moderation.routing import Evidence, Route, Why

COLUMNS: Final = {"approve": "approved", "review": "reviewed", "block": "blocked", "quarantine": "quarantined"}
SCORED: Final = frozenset({"block", "between", "below"})
SUSPENDED: Final = frozenset({"stopped", "capped"})
# In the order of the key, so that workers who count at the same moment wait for each other in one direction.
COUNT: Final = """
INSERT INTO moderation_outcomecount AS c
    (hour, plan, client_id, category, classifier, approved, reviewed, blocked, quarantined, afterwards)
SELECT %s, v.plan, v.client, v.category, v.classifier, v.approved, v.reviewed, v.blocked, v.quarantined, false
FROM jsonb_to_recordset(%s::jsonb) AS v (
    plan int, client uuid, category varchar, classifier varchar, approved int, reviewed int, blocked int,
    quarantined int
) ORDER BY v.plan, v.client, v.category, v.classifier
ON CONFLICT (hour, plan, client_id, category, classifier) DO UPDATE
SET approved = c.approved + excluded.approved, reviewed = c.reviewed + excluded.reviewed,
    blocked = c.blocked + excluded.blocked, quarantined = c.quarantined + excluded.quarantined
"""


def count(settled: Iterable[tuple[object, Route, Sequence[Evidence]]], *, plan: int) -> None:
    """Add up one batch: of each image its client's key, its route, and what was said of it. Call it last in the
    transaction that settles them: the rows it locks are every worker's.
    """
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for client, route, said in settled:
        key = (str(client), deciding(route).category, speaker(route, said))
        counts.setdefault(key, Counter())[COLUMNS[route.action]] += 1
    if not counts:
        return
    rows = [
        {"plan": plan, "client": client, "category": category, "classifier": classifier}
        | {column: amounts[column] for column in COLUMNS.values()}
        for (client, category, classifier), amounts in counts.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [hour_of(timezone.now()), json.dumps(rows)])


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def speaker(route: Route, said: Sequence[Evidence]) -> str:
    """The version whose word decided: of a score, the one that was surest of the category; of a demand, the first by
    name that made it. "" where nothing was found, where doubt decided, or people did (a copy of what they settled).
    """
    why = deciding(route)
    if why.code in SCORED:
        sure = [(-each.probabilities.get(why.category, 0.0), each.classifier) for each in said]
        return min(((value, name) for value, name in sure if value < 0), default=(0.0, ""))[1]
    asked = [
        each.classifier
        for each in said
        if any(one.code == why.code and one.category == why.category for one in each.demands)
    ]
    return min(asked, default="")


def deciding(route: Route) -> Why:
    """The first reason that is about the image, and not about what machines may do just now."""
    return next((why for why in route.why if why.code not in SUSPENDED), route.why[0])
