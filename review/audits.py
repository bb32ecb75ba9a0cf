"""Audits: images that a person judged because of a lot whose chance was stored at triage, with the score they had.

In it: what machines decided and the audit lot brought to a person, and what triage sent to people, whose chance is 1.
Not in it: gold items; what a report, an appeal, a second opinion, a re-review or a draw to learn from brought up, for
these are no lot (they correct the label of what is in it, though; of what triage sent to people anyway, an answer to
learn from is as good as any other); what no lot could have brought up, and what lies under a legal hold that
triage itself put on it, which no band decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from classifiers.models import ClassifierVersion
from moderation.models import Reason, ReviewRequest, Submission
from moderation.taxonomy import Category
from review.decisions import ANSWERED
from review.models import EffectState, Verdict
from review.outlook import first_key
from review.quality.gathering import SAID

SPAN: Final = timedelta(days=90)
MOST: Final = 1_000_000
COUNTED: Final = 100_000

# Their first settled answer was to the lot; the last settled one, whoever asked for it, is what they are.
AUDITED: Final = f"""
WITH settled AS (
    SELECT DISTINCT ON (decision.submission_id) decision.submission_id, decision.verdict, decision.labels
    FROM review_decision decision JOIN review_effect effect ON effect.decision_id = decision.id
    WHERE effect.settles AND effect.state = '{EffectState.APPLIED.value}' AND decision.verdict = ANY(%(said)s::text[])
        AND decision.decided_at >= %(since)s
    ORDER BY decision.submission_id, decision.id DESC
)
SELECT submission.id, answer.applied, submission.inclusion_probability, submission.plan_id,
    settled.verdict <> '{Verdict.APPROVE.value}' AND settled.labels @> %(named)s::jsonb,
    coalesce((
        SELECT max(finding.probabilities[scorer.place])
        FROM unnest(%(scorers)s::uuid[], %(places)s::int[]) scorer (id, place)
        JOIN moderation_finding finding ON finding.submission_id = submission.id AND finding.classifier_id = scorer.id
    ), 0)
FROM settled JOIN moderation_submission submission ON submission.id = settled.submission_id
CROSS JOIN LATERAL (
    SELECT min(effect.ended_at) AS applied FROM review_decision decision
    JOIN review_effect effect ON effect.decision_id = decision.id
    JOIN review_claim claim ON claim.id = decision.claim_id
    JOIN moderation_reviewrequest request ON request.id = claim.request_id
    WHERE decision.submission_id = submission.id AND effect.settles AND effect.state = '{EffectState.APPLIED.value}'
        AND request.reason = ANY(CASE submission.route WHEN 'review' THEN %(asked)s::text[] ELSE %(lot)s::text[] END)
) answer
WHERE submission.id > %(after)s AND submission.inclusion_probability > 0 AND submission.route <> 'quarantine'
    AND submission.heard @> %(refs)s::varchar[] AND answer.applied > %(applied)s
ORDER BY answer.applied, submission.id LIMIT %(most)s
"""  # noqa: S608 - our own constants


@dataclass(frozen=True, slots=True)
class Audit:
    """One image: when its answer took effect, the chance of its lot, its score then, and whether it violates."""

    submission: UUID
    at: datetime
    chance: float
    plan: UUID | None
    violating: bool
    score: float


@dataclass(frozen=True, slots=True)
class Audits:
    """In the order in which they were answered, of a window. `waiting`: audit samples drawn that nobody answered yet
    (of any category, COUNTED at most); `unlotted`: the last image that no lot could have brought up, after which the
    window begins.
    """

    since: datetime
    until: datetime
    rows: Sequence[Audit] = ()
    waiting: int = 0
    unlotted: datetime | None = None
    scores: list[float] = field(default_factory=list)
    violating: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)


def gathered(
    category: Category, scorers: Sequence[ClassifierVersion], *, worded: datetime, now: datetime | None = None
) -> Audits:
    """The audits of a category by the versions that score it, judged by the wording published at `worded`, of the last
    SPAN. Four queries.
    """
    now = now or timezone.now()
    since = max(worded, now - SPAN)
    refs = [one.ref for one in scorers]
    barred = Submission.objects.filter(inclusion_probability=0, heard__contains=refs, pk__gte=first_key(now - SPAN))
    unlotted = barred.order_by("-pk").values_list("pk", "created_at").first()
    after = max(unlotted[0], first_key(now - SPAN)) if unlotted else first_key(now - SPAN)
    rows = read(category, scorers, since=since, after=after) if scorers else []
    open_lots = ReviewRequest.objects.filter(reason=Reason.AUDIT_SAMPLE, closed_at__isnull=True)
    return Audits(
        since,
        now,
        rows,
        open_lots[:COUNTED].count(),
        unlotted[1] if unlotted else None,
        [one.score for one in rows],
        [one.violating for one in rows],
        [1 / one.chance for one in rows],
    )


def read(
    category: Category,
    scorers: Sequence[ClassifierVersion],
    *,
    since: datetime,
    after: UUID,
    applied: datetime | None = None,
    most: int = MOST,
) -> list[Audit]:
    """Of images that came after the key `after`, whose answer took effect after `applied`. One query."""
    values: dict[str, Any] = {
        "said": [one.value for one in SAID],
        "since": since,
        "after": after,
        "applied": applied or since,
        "refs": [one.ref for one in scorers],
        "scorers": [one.pk for one in scorers],
        "places": [list(one.categories).index(category.value) + 1 for one in scorers],
        "named": f'[{{"category": "{category.value}"}}]',
        "asked": [one.value for one in ANSWERED],
        "lot": [Reason.AUDIT_SAMPLE.value],
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(AUDITED, values)
        return [
            Audit(key, at, chance, plan, violating, float(score))
            for key, at, chance, plan, violating, score in cursor.fetchall()
        ]
