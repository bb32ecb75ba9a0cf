"""The one door through which a request for a person's look is opened: it says in which queue, until when, and how
urgently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from moderation import urgency
from moderation.models import Reason, ReviewQueue, ReviewRequest, Submission
from moderation.queues import known
from moderation.queues.definitions import Definitions, Facts
from moderation.taxonomy import DEFAULT_SEVERITY, Category

LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?=[-_]|$)")
BATCH: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Why a person must look at an image. `queue`: where it goes whatever the routing rules say, "" for where they say.
    `probability` and the cuts are those of the likely category.
    """

    submission: Submission
    reason: Reason
    category: str = ""
    probability: float | None = None
    approve: float | None = None
    block: float | None = None
    queue: str = ""
    needed: int = 1

    @property
    def severity(self) -> int:
        return DEFAULT_SEVERITY[Category(self.category)] if self.category in Category.values else 0

    @property
    def facts(self) -> Facts:
        return facts_of(self.submission, self.reason, self.category, self.severity)


def facts_of(submission: Submission, reason: str, category: str, severity: int) -> Facts:
    """What the routing rules go by."""
    return Facts(
        category,
        severity,
        frozenset(submission.territories),
        language_of(submission.context),
        submission.surface,
        reason,
        submission.client_id,
    )


def language_of(context: Any) -> str:
    """The primary subtag of the language that was declared, in lower case; "" where none was."""
    said = context.get("language") if isinstance(context, dict) else None
    found = LANGUAGE.match(said) if isinstance(said, str) else None
    return found.group().lower() if found else ""


def open_requests(asks: Iterable[Ask], *, now: datetime | None = None) -> Sequence[ReviewRequest]:
    """Afterwards each has an open request; one that is open already for the same reason stays as it is. One statement,
    and one more when the queues are not known.
    """
    asks = list(asks)
    if not asks:
        return []
    now, queues = now or timezone.now(), known.definitions()
    dues: dict[Any, datetime] = {}
    requests = [built(ask, queues, now, dues) for ask in asks]
    ReviewRequest.objects.bulk_create(requests, ignore_conflicts=True)
    return requests


def built(ask: Ask, queues: Definitions, now: datetime, dues: dict[Any, datetime]) -> ReviewRequest:
    """The row, not yet written. `dues` remembers due dates: working hours are reckoned once a batch and kind."""
    facts = ask.facts
    queue = queues.of(ask.queue) if ask.queue else queues.route(facts)
    kind = (queue.slug, queue.work_for(facts.severity, facts.territories))
    if kind not in dues:
        dues[kind] = queue.due(now, facts.severity, facts.territories)
    context = ask.submission.context
    weight = urgency.weight(
        facts.severity,
        probability=ask.probability,
        approve=ask.approve,
        block=ask.block,
        reach=context.get("reach") if isinstance(context, dict) else None,
    )
    return ReviewRequest(
        submission=ask.submission,
        reason=ask.reason,
        category=ask.category,
        severity=facts.severity,
        queue=queue.slug,
        needed=ask.needed,
        opened_at=now,
        due_at=dues[kind],
        weight=weight,
        priority=queue.key(weight, now, dues[kind]),
        leased_until=now,
    )


def put_in(request: ReviewRequest, slug: str) -> None:
    """The request belongs to this queue, in its order; what was promised of its due date stays. Not saved yet."""
    queue = known.definitions().of(slug)
    request.queue = queue.slug
    request.priority = queue.key(request.weight, request.opened_at, request.due_at or request.opened_at)


SETTLE: Final = """
UPDATE moderation_reviewrequest SET queue = %(to)s, priority = {key}
WHERE id IN (
    SELECT id FROM moderation_reviewrequest
    WHERE queue = %(queue)s AND closed_at IS NULL AND (queue <> %(to)s OR priority IS DISTINCT FROM {key})
    ORDER BY opened_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
)
"""
KEYS: Final = {
    "oldest": "-extract(epoch FROM opened_at - %(epoch)s)::float8 / %(tau)s::float8",
    "urgent": "weight - extract(epoch FROM coalesce(due_at, opened_at) - %(epoch)s)::float8 / %(tau)s::float8",
}


def settle(row: ReviewQueue) -> int:
    """The open requests of a queue that was changed get their place in its new order; those of a retired one go to the
    general queue. A batch; returns how many it moved. What somebody has in hand at this moment comes with the next.
    """
    to = known.definitions().of(row.slug)
    values: dict[str, Any] = {
        "queue": row.slug,
        "to": to.slug,
        "limit": BATCH,
        "epoch": urgency.EPOCH,
        "tau": urgency.TAU,
    }
    with connection.cursor() as cursor:
        cursor.execute(SETTLE.format(key=KEYS[to.order]), values)
        return int(cursor.rowcount)


def settle_changed() -> int:
    """Put what waits into the order of queues that were changed; returns how many requests moved. Not before every
    process knows the change: until then some still write by the old one.
    """
    moved = 0
    known.forget()
    for row in ReviewQueue.objects.filter(unsettled=True, changed_at__lt=timezone.now() - 2 * known.SPAN):
        while batch := settle(row):
            moved += batch
        ReviewQueue.objects.filter(pk=row.pk, changed_at=row.changed_at).update(unsettled=False)
    return moved
