"""Claiming rows for triage.

A claim is a lease (`triage_after`) with `attempts` as its fencing token. A worker that dies leaves the lease to run
out; one that comes back late finds the token changed and writes nothing. So every image settles exactly once, whoever
crashes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from random import uniform

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from moderation.models import Status, Submission


def claim(*, limit: int, again: bool) -> list[Submission]:
    """Up to `limit` waiting rows, leased to the caller: first those whose sender waits, then the oldest. `again`: rows
    that were tried before, else fresh ones.

    Rows tried before are for batches of one: an image that kills its worker must not take its neighbours along a
    second time.
    """
    now = timezone.now()
    waiting = Submission.objects.awaiting_triage(now=now).order_by("-awaited", "triage_after")
    waiting = waiting.filter(attempts__gt=0) if again else waiting.filter(attempts=0)
    with transaction.atomic():
        rows = list(waiting.select_for_update(skip_locked=True)[:limit])
        if rows:
            # Rows of one claim share a token, fresh (0 → 1) or a single retry.
            Submission.objects.filter(pk__in=[row.pk for row in rows]).update(
                attempts=rows[0].attempts + 1, triage_after=now + timedelta(seconds=settings.TRIAGE_LEASE_SECONDS)
            )
    for row in rows:
        row.attempts += 1
    return rows


def still_held(rows: Sequence[Submission]) -> set[object]:
    """Keys of the rows that are still the caller's; locked until the transaction ends."""
    if not rows:
        return set()
    return set(
        Submission.objects.select_for_update()
        .filter(pk__in=[row.pk for row in rows], status=Status.RECEIVED, attempts=rows[0].attempts)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def put_back(rows: Collection[Submission]) -> None:
    """Give up the lease on rows that failed; they come up again after 2, 4, 8 … seconds, a little scattered."""
    for row in rows:
        wait = timedelta(seconds=2**row.attempts * uniform(0.75, 1.25))  # noqa: S311 - scatter, not secrecy
        Submission.objects.filter(pk=row.pk, status=Status.RECEIVED, attempts=row.attempts).update(
            triage_after=timezone.now() + wait
        )
