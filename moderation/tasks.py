"""Celery's way in. A message is a hint that there is work; the rows say which."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from moderation import audit
from moderation.models import Submission
from moderation.triage import work_off

ROUNDS = 50  # then the next message takes over, so that a long backlog does not hold one task for ever


@shared_task(name="moderation.tasks.triage")
def triage() -> dict[str, int]:
    """Work off what waits, batch by batch."""
    report = work_off(rounds=ROUNDS)
    if report.claimed >= ROUNDS:
        sweep()
    return {"claimed": report.claimed}


def nudge_triage() -> None:
    """For doors: once the caller's transaction is committed, tell a worker. `sweep` makes up for a lost hint."""
    transaction.on_commit(send_hint, robust=True)


def send_hint() -> None:
    triage.apply_async(retry=False)


@shared_task(name="moderation.tasks.sweep")
def sweep() -> None:
    """Nudge triage when rows wait, whatever became of their message."""
    if Submission.objects.awaiting_triage(now=timezone.now()).exists():
        triage.delay()


@shared_task(name="moderation.tasks.seal_audit")
def seal_audit() -> None:
    audit.seal()
