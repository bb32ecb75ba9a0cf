"""Celery's way in."""

from __future__ import annotations

from celery import shared_task

from review import queue


@shared_task(name="review.tasks.free_ended_leases")
def free_ended_leases() -> dict[str, int]:
    return {"ended": queue.free_ended()}
