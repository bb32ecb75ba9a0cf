"""Claiming rows for triage.

A claim is a lease (`triage_after`) with `attempts` as its fencing token. A worker that dies leaves the lease to run
out; one that comes back late finds the token changed and writes nothing. So every image settles exactly once, whoever
crashes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from random import uniform
from typing import Final

from django.conf import settings
from django.utils import timezone

from moderation.models import Status, Submission
from moderation.models.submissions import SubmissionQuerySet

SMALL: Final = 8  # rows of a batch that some sender waits for, when fewer than these are awaited
# One statement, for it is asked three times a batch, mostly in vain.
CLAIM: Final = """
WITH picked AS MATERIALIZED (
    SELECT id, awaited, triage_after FROM moderation_submission
    WHERE status = 'received' AND triage_after <= %(now)s AND alone = %(again)s {narrowed}
    ORDER BY awaited DESC, triage_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), kept AS (
    SELECT id FROM picked ORDER BY awaited DESC, triage_after LIMIT (
        SELECT CASE WHEN bool_or(awaited) THEN greatest(count(*) FILTER (WHERE awaited), %(small)s) ELSE %(limit)s END
        FROM picked
    )
)
UPDATE moderation_submission s SET attempts = attempts + 1, alone = true, triage_after = %(until)s
FROM kept WHERE s.id = kept.id RETURNING s.*
"""
LONGEST_WAIT: Final = 60  # seconds between two looks at whether a classifier is back


def claim(*, limit: int, again: bool = False, awaited: bool = False) -> list[Submission]:
    """Up to `limit` waiting rows, leased to the caller: first those whose sender waits, then the oldest. `awaited`:
    only the former. `again`: rows whose last worker did not come back, else all the others.

    The former are for batches of one: an image that kills its worker must not take its neighbours along a second time.
    Where senders wait, the batch is little more than what they wait for.
    """
    now = timezone.now()
    told = {
        "now": now,
        "limit": limit,
        "again": again,
        "small": SMALL,
        "until": now + timedelta(seconds=settings.TRIAGE_LEASE_SECONDS),
    }
    # The statement returns the rows in no order.
    statement = CLAIM.format(narrowed="AND awaited" if awaited else "")
    return sorted(Submission.objects.raw(statement, told), key=lambda row: (not row.awaited, row.pk))


def tries(row: Submission) -> int:
    """How often triage looked at this image; waiting for a classifier that is down is no look."""
    return row.attempts - row.held_up


def still_held(rows: Sequence[Submission]) -> set[object]:
    """Keys of the rows that are still the caller's; locked until the transaction ends."""
    if not rows:
        return set()
    tokens = {row.pk: row.attempts for row in rows}
    found = (
        Submission.objects.select_for_update()
        .filter(pk__in=tokens, status=Status.RECEIVED)
        .order_by("pk")
        .values_list("pk", "attempts")
    )
    return {key for key, attempts in found if tokens[key] == attempts}


def put_back(rows: Collection[Submission], *, alone: bool = False) -> None:
    """Give up the lease on rows that failed; they come up again after 2, 4, 8 … seconds, a little scattered: in
    company, unless one of them may have hung its classifier.
    """
    for row in rows:
        of(row).update(triage_after=later(2 ** tries(row)), alone=alone)


def hold_up(rows: Collection[Submission]) -> None:
    """The same for rows that wait for a classifier that is down: as often as it takes, ever more rarely."""
    now = timezone.now()
    for row in rows:
        of(row).update(
            triage_after=later(min(2 ** min(row.held_up + 1, 16), LONGEST_WAIT)),
            alone=False,
            held_up=row.held_up + 1,
            held_up_since=row.held_up_since or now,
        )


def of(row: Submission) -> SubmissionQuerySet:
    return Submission.objects.filter(pk=row.pk, status=Status.RECEIVED, attempts=row.attempts)


def later(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds * uniform(0.75, 1.25))  # noqa: S311 - scatter, not secrecy
