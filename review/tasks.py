"""Celery's way in."""

from __future__ import annotations

from celery import shared_task

from moderation.tasks import recheck
from review import effects, holding, queue
from review.quality import gold


@shared_task(name="review.tasks.free_ended_leases")
def free_ended_leases() -> dict[str, int]:
    return {"ended": queue.free_ended(), "unanswered": gold.close_unanswered()}


@shared_task(name="review.tasks.apply_decisions")
def apply_decisions() -> dict[str, int]:
    """What may not be undone any more takes effect."""
    holding.step_back()
    applied, learnt = effects.apply_due()
    if learnt:
        recheck.delay()
    return {"applied": applied}


@shared_task(name="review.tasks.tell_of_held")
def tell_of_held() -> dict[str, int]:
    """Those who may answer hear that something waits for a second person."""
    return {"told": holding.tell()}
