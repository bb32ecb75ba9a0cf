"""From what people decided to a day's counts, by the worker.

A day is that on which the images came in (UTC), whenever they were judged, so that it is counted anew while answers
come in. As in `review.audits`: in it is what the audit lot, or triage itself, brought to a person; its label is what
people last settled it as, whoever asked for that; what lies under a legal hold that triage put on it is in no part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from moderation.models import Reason
from review.decisions import ANSWERED
from review.estimates.tallies import ROUTES, Seen, Tally
from review.models import AuditTally, Decision, EffectState, Verdict
from review.outlook import first_key
from review.quality.gathering import SAID

RECENT: Final = 3  # days of decisions, whose images' days are counted again each time
WHOLE: Final = 28  # days that are counted again once a day: a held decision may take effect late
MOST_GROUPS: Final = 40  # clients and generators of a day, those with the most images
OLDEST: Final = timedelta(days=400)

# What no reason of a stop or a cap says: as moderation.guardrails.counting.deciding.
DECIDED: Final = """
LEFT JOIN LATERAL (
    SELECT why ->> 'category' AS category FROM jsonb_array_elements(submission.reasons)
        WITH ORDINALITY each (why, place)
    WHERE submission.route = 'block' AND why ->> 'code' NOT IN ('stopped', 'capped') ORDER BY place LIMIT 1
) decided ON true
"""
CAME_IN: Final = f"""
SELECT submission.route, coalesce(decided.category, ''), submission.client_id::text,
    left(coalesce(submission.generator ->> 'name', ''), 200), submission.inclusion_probability > 0, count(*)
FROM moderation_submission submission {DECIDED}
WHERE submission.id >= %(start)s AND submission.id < %(end)s AND submission.route = ANY(%(routes)s::text[])
GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - our own constants
# Over the index of requests by reason and submission: the cost goes with what people were asked, not with the traffic.
LOOKED_AT: Final = f"""
SELECT submission.route, coalesce(decided.category, ''), submission.client_id::text,
    left(coalesce(submission.generator ->> 'name', ''), 200), submission.inclusion_probability, settled.verdict,
    ARRAY(SELECT label ->> 'category' FROM jsonb_array_elements(settled.labels) label)
FROM (
    SELECT submission_id, array_agg(reason::text) AS reasons FROM moderation_reviewrequest
    WHERE reason = ANY(%(asked)s::text[] || %(lot)s::text[]) AND submission_id >= %(start)s AND submission_id < %(end)s
    GROUP BY submission_id
) asked
JOIN moderation_submission submission ON submission.id = asked.submission_id {DECIDED}
LEFT JOIN LATERAL (
    SELECT decision.verdict, decision.labels FROM review_decision decision
    JOIN review_effect effect ON effect.decision_id = decision.id
    WHERE decision.submission_id = submission.id AND effect.settles AND effect.state = '{EffectState.APPLIED.value}'
        AND decision.verdict = ANY(%(said)s::text[])
        AND EXISTS (
            SELECT FROM review_decision first JOIN review_effect took ON took.decision_id = first.id
            JOIN review_claim claim ON claim.id = first.claim_id
            JOIN moderation_reviewrequest request ON request.id = claim.request_id
            WHERE first.submission_id = submission.id AND took.settles AND took.state = '{EffectState.APPLIED.value}'
                AND request.reason = ANY(
                    CASE submission.route WHEN 'review' THEN %(asked)s::text[] ELSE %(lot)s::text[] END)
        )
    ORDER BY decision.id DESC LIMIT 1
) settled ON true
WHERE submission.route = ANY(%(routes)s::text[]) AND submission.inclusion_probability > 0
    AND asked.reasons && CASE submission.route WHEN 'review' THEN %(asked)s::text[] ELSE %(lot)s::text[] END
"""  # noqa: S608 - our own constants


def count(now: datetime | None = None) -> int:
    """Afterwards the days whose images people judged lately, today and yesterday are counted as of now; once a day all
    of the last weeks. Returns the number of days counted.
    """
    now = now or timezone.now()
    days = stale(now)
    for day in sorted(days):
        count_day(day)
    AuditTally.objects.filter(day__lt=(now - OLDEST).date()).delete()
    return len(days)


def stale(now: datetime) -> set[date]:
    today = now.date()
    days = {today, today - timedelta(days=1)}
    if not AuditTally.objects.filter(day=today).exists():
        days |= {today - timedelta(days=back) for back in range(WHOLE)}
    keys = Decision.objects.filter(decided_at__gte=now - timedelta(days=RECENT), verdict__in=SAID)
    days |= {day_of(key) for key in keys.values_list("submission_id", flat=True).distinct().iterator()}
    return {day for day in days if day >= (now - OLDEST).date()}


def day_of(key: UUID) -> date:
    """The day (UTC) on which a row with this key was made: version 7 begins with the milliseconds."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC).date()


@transaction.atomic
def count_day(day: date) -> int:
    """Returns the number of rows: one of all, one a client and generator. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.estimates'))")
    start = datetime.combine(day, time.min, UTC)
    values = {
        "start": first_key(start),
        "end": first_key(start + timedelta(days=1)),
        "routes": list(ROUTES),
        "said": [one.value for one in SAID],
        "asked": [one.value for one in ANSWERED],
        "lot": [Reason.AUDIT_SAMPLE.value],
    }
    came_in, looked_at = rows_of(CAME_IN, values), rows_of(LOOKED_AT, values)
    rows = tallied(day, came_in, looked_at)
    AuditTally.objects.filter(day=day).delete()
    return len(AuditTally.objects.bulk_create(rows))


def rows_of(query: str, values: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def tallied(day: date, came_in: Iterable[Sequence[Any]], looked_at: Iterable[Sequence[Any]]) -> list[AuditTally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    unlotted, waiting, sizes = Counter[str](), Counter[str](), Counter[str]()
    for route, decided, client, generator, lotted, images in came_in:
        for group in groups(client, generator):
            sizes[group] += images
            if lotted:
                tallies[group].count(route, decided, images)
            else:
                unlotted[group] += images
    for route, decided, client, generator, chance, verdict, labels in looked_at:
        for group in groups(client, generator):
            if verdict is None:
                waiting[group] += 1
                continue
            harmful = verdict != Verdict.APPROVE
            found = set(labels) if harmful else set()
            tallies[group].add(Seen(route, decided, chance, harmful, found))
    kept = [group for group, _images in sizes.most_common(MOST_GROUPS + 1)]
    return [
        AuditTally(day=day, group=group, counts=tallies[group].dump(), waiting=waiting[group], unlotted=unlotted[group])
        for group in kept
    ]


def groups(client: str, generator: str) -> list[str]:
    return ["", f"client:{client}", *([f"generator:{generator}"] if generator else [])]
