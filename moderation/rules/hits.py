"""Counting hits: one statement a batch, a few rows a day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.db.models import Max, Sum
from django.utils import timezone

from moderation.models import RuleHits

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion

DAYS: Final = 30
# In the order of the unique index, so that workers who count at the same moment wait for each other in one direction.
COUNT: Final = """
INSERT INTO moderation_rulehits AS h (version_id, rule, day, hits, failures, last_hit_at)
SELECT v.version, v.rule, %s, v.hits, v.failures, CASE WHEN v.hits > 0 THEN %s::timestamptz END
FROM jsonb_to_recordset(%s::jsonb) AS v (version uuid, rule varchar, hits bigint, failures bigint)
ORDER BY v.version, v.rule
ON CONFLICT (version_id, rule, day) DO UPDATE
SET hits = h.hits + excluded.hits, failures = h.failures + excluded.failures,
    last_hit_at = coalesce(excluded.last_hit_at, h.last_hit_at)
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one rule, over the last DAYS days."""

    hits: int = 0
    failures: int = 0
    last_hit_at: datetime | None = None


def count(said: Iterable[tuple[ClassifierVersion, Mapping[str, Any]]]) -> None:
    """Add up what rules showed of the images of one batch. No statement when no rule held."""
    hits: Counter[tuple[str, str]] = Counter()
    failures: Counter[tuple[str, str]] = Counter()
    for version, shown in said:
        hits.update((str(version.pk), rule) for part in ("rules", "shadow") for rule in shown.get(part, ()))
        failures.update((str(version.pk), rule) for rule in shown.get("failed", ()))
    if not hits and not failures:
        return
    now = timezone.now()
    rows = [
        {"version": version, "rule": rule, "hits": hits[version, rule], "failures": failures[version, rule]}
        for version, rule in hits | failures
    ]
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [now.date(), now, json.dumps(rows)])


def tallies(version: ClassifierVersion) -> dict[str, Tally]:
    """By rule of this version. Reads a row a rule and day."""
    since = timezone.now().date() - timedelta(days=DAYS)
    found = RuleHits.objects.filter(version=version, day__gt=since).values("rule")
    return {
        one["rule"]: Tally(one["all_hits"], one["all_failures"], one["last"])
        for one in found.annotate(all_hits=Sum("hits"), all_failures=Sum("failures"), last=Max("last_hit_at"))
    }
