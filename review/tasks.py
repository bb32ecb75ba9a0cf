"""Celery's way in."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction

from moderation.guardrails import letters
from moderation.tasks import recheck
from review import effects, holding, queue, watching
from review.bulk import running
from review.evaluations import orders
from review.exports import keeping
from review.label_audits import running as auditing
from review.monitoring import looking
from review.quality import gold, rollups
from review.selection import drawing
from review.trainings import running as trainings


@shared_task(name="review.tasks.free_ended_leases")
def free_ended_leases() -> dict[str, int]:
    return {"ended": queue.free_ended(), "unanswered": gold.close_unanswered()}


@shared_task(name="review.tasks.roll_up_quality")
def roll_up_quality() -> dict[str, int]:
    """What the quality pages read is as of now."""
    return {"rows": rollups.roll_up()}


@shared_task(name="review.tasks.monitor")
def monitor() -> dict[str, int]:
    """What monitoring shows is as of now; who answers for it hears of what is beyond a line."""
    found = looking.look()
    return {"days": found.days, "readings": found.readings, "raised": found.raised, "told": letters.tell()}


@shared_task(name="review.tasks.watch_certificates")
def watch_certificates() -> dict[str, int]:
    """Live audits have their say of the certificates that hold; who answers for them hears of those that do not."""
    return {"ended": watching.watch(), "told": watching.tell()}


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


@shared_task(name="review.tasks.run_bulk")
def run_bulk() -> dict[str, int]:
    """Bulk actions go on where their rows say; beat calls again whatever becomes of a message."""
    return {"dealt": sum(running.work_off(key) for key in running.at_work())}


def nudge_bulk() -> None:
    """For doors: once the caller's transaction is committed, begin."""
    transaction.on_commit(lambda: run_bulk.apply_async(retry=False), robust=True)


@shared_task(name="review.tasks.run_trainings")
def run_trainings() -> dict[str, int]:
    """Trainings that wait, and those whose worker died, one after the other."""
    ended = 0
    while (key := trainings.next_free()) is not None:
        ended += bool(trainings.work_off(key))
    return {"ended": ended}


def nudge_trainings() -> None:
    """For doors: once the caller's transaction is committed, begin."""
    transaction.on_commit(lambda: run_trainings.apply_async(retry=False), robust=True)


@shared_task(name="review.tasks.evaluate")
def evaluate() -> dict[str, int]:
    """Versions are measured that somebody asked about; beat calls again whatever becomes of a message."""
    return {"taken": orders.work_off()}


def nudge_evaluations() -> None:
    """For doors: once the caller's transaction is committed, begin."""
    transaction.on_commit(lambda: evaluate.apply_async(retry=False), robust=True)


@shared_task(name="review.tasks.run_exports")
def run_exports() -> dict[str, int]:
    """Data sets are made, one after the other; beat calls again whatever becomes of a message or a worker."""
    from review.exports import running  # pyarrow: 40 MiB that the web process does without

    running.tidy()
    return {"done": sum(running.work_off(key) for key in running.at_work())}


@shared_task(name="review.tasks.remove_old_exports")
def remove_old_exports() -> dict[str, int]:
    """Files of data sets whose time has come go; a night that was missed is made up for by the next."""
    return {"removed": keeping.remove_old()}


def nudge_exports() -> None:
    """For doors: once the caller's transaction is committed, begin."""
    transaction.on_commit(lambda: run_exports.apply_async(retry=False), robust=True)


@shared_task(name="review.tasks.audit_labels")
def audit_labels() -> dict[str, int]:
    """Audits of labels that were asked for are done."""
    return {"audited": auditing.run_pending()}


def nudge_audits() -> None:
    """For doors: once the caller's transaction is committed, begin."""
    transaction.on_commit(lambda: audit_labels.apply_async(retry=False), robust=True)


@shared_task(name="review.tasks.select_learning")
def select_learning() -> dict[str, int]:
    """Draws that were asked for are done, and the day's budget is used as far as the day has come."""
    return {"opened": drawing.draw_pending() + drawing.draw_daily()}


def nudge_selection() -> None:
    """For doors: once the caller's transaction is committed, draw."""
    transaction.on_commit(lambda: select_learning.apply_async(retry=False), robust=True)
