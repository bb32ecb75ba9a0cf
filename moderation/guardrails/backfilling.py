"""The same counts from what is stored, for the time before triage kept them."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction
from django.db.models import Min

from moderation.models import OutcomeCount

# When an image was routed is not on its row: its first finding was written then. The deciding version as in
# `counting.speaker`; shadows have no say.
BACKFILL: Final = """
INSERT INTO moderation_outcomecount
    (hour, plan, client_id, category, classifier, approved, reviewed, blocked, quarantined, afterwards)
SELECT date_trunc('hour', routed.at, 'UTC'), coalesce(p.number, 0), s.client_id, said.category,
    coalesce(who.ref, ''), count(*) FILTER (WHERE s.route = 'approve'), count(*) FILTER (WHERE s.route = 'review'),
    count(*) FILTER (WHERE s.route = 'block'), count(*) FILTER (WHERE s.route = 'quarantine'), true
FROM moderation_submission s
LEFT JOIN moderation_triageplan p ON p.id = s.plan_id
CROSS JOIN LATERAL (
    SELECT coalesce(min(f.created_at), s.created_at) AS at FROM moderation_finding f WHERE f.submission_id = s.id
) routed
CROSS JOIN LATERAL (
    SELECT coalesce(min(w.why->>'code'), '') AS code, coalesce(min(w.why->>'category'), '') AS category FROM (
        SELECT why FROM jsonb_array_elements(s.reasons) WITH ORDINALITY each (why, place)
        WHERE why->>'code' NOT IN ('stopped', 'capped') ORDER BY place LIMIT 1
    ) w
) said
LEFT JOIN LATERAL (
    SELECT v.name || '@' || v.version AS ref
    FROM moderation_finding f JOIN classifiers_classifierversion v ON v.id = f.classifier_id
    CROSS JOIN LATERAL (
        SELECT coalesce(f.probabilities[array_position(v.categories, said.category)], 0) AS sure
    ) word
    WHERE f.submission_id = s.id AND p.body->'classifiers' ? (v.name || '@' || v.version) AND CASE
        WHEN said.code IN ('block', 'between', 'below') THEN word.sure > 0
        ELSE f.evidence->'demands'
            @> jsonb_build_array(jsonb_build_object('code', said.code, 'category', said.category))
    END
    ORDER BY CASE WHEN said.code IN ('block', 'between', 'below') THEN -word.sure ELSE 0 END, ref LIMIT 1
) who ON true
WHERE s.route <> '' AND (%(until)s::timestamptz IS NULL OR routed.at < %(until)s)
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def count_stored() -> int:
    """Afterwards every hour before the first that triage counted itself says what is stored of it; run again, it says
    it anew. Returns the number of rows.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loupe.count_stored'))")
    until = OutcomeCount.objects.filter(afterwards=False).aggregate(first=Min("hour"))["first"]
    OutcomeCount.objects.filter(afterwards=True).delete()
    with connection.cursor() as cursor:
        cursor.execute(BACKFILL, {"until": until})
        return int(cursor.rowcount)
