"""The rival of the batch worker: one Celery task an image, doing all that triage does, on that image alone."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from moderation.models import Submission
from moderation.triage.batch import begin, finish


@shared_task(name="bench.tasks.one_image")
def one_image(key: str) -> None:
    """Claim this row and triage it: the same statements, a batch of one."""
    lease = timezone.now() + timedelta(seconds=settings.TRIAGE_LEASE_SECONDS)
    Submission.objects.filter(pk=key).update(attempts=1, triage_after=lease)
    finish(begin([Submission.objects.get(pk=key)]))
