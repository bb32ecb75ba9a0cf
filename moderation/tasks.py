"""Celery's way in. A message is a hint that there is work; the rows say which."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any, Final

from billiard import current_process
from celery import Task, current_app, shared_task
from celery.signals import worker_init, worker_process_init
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from moderation import audit, metrics, proposals, requests
from moderation.banks import rechecking
from moderation.guardrails import letters, watching
from moderation.metrics.counting import store
from moderation.models import Submission
from moderation.triage import warming, work_off
from moderation.triage.deadlines import hung
from moderation.triage.joining import join_clusters
from moderation.triage.queues import QUEUES, queue_in_force

log = logging.getLogger(__name__)
# Then the next message takes over, so that a long backlog does not hold one task for ever.
ROUNDS: Final = 50
SECONDS: Final = 120
# What holds even the interpreter cannot be given up on from within: the parent process ends it.
LIMIT: Final = 600
# Set by who sends a hint, gone when a worker takes it up or after this long, should the message be lost.
HINTED: Final = "loupe:triage:hinted"
HINTED_MS: Final = 1000


@shared_task(name="moderation.tasks.triage", bind=True, time_limit=LIMIT)
def triage(self: Task[..., Any]) -> dict[str, int]:
    """Work off what waits, batch by batch; hand on to the queue whose workers the plan in force needs."""
    forget_hint()
    here, wanted = (self.request.delivery_info or {}).get("routing_key"), queue_in_force()
    if here == "triage" and wanted != here:
        triage.apply_async(queue=wanted)
        return {"claimed": 0}
    report = work_off(rounds=ROUNDS, seconds=SECONDS)
    warming.tell()
    if report.claimed >= ROUNDS:
        sweep()
    end_if_hung()
    return {"claimed": report.claimed}


def end_if_hung() -> None:
    """A pool process with too many threads that hang ends; the pool starts another, and the sweeper finds the rows."""
    if hung() >= settings.TRIAGE_HUNG_THREADS and current_process().name != "MainProcess":
        log.critical("%d threads hang in classifiers: this worker process ends itself", hung())
        metrics.WORKERS_RECYCLED.add()
        metrics.flush()
        os.kill(os.getpid(), signal.SIGKILL)  # nothing gentler gets past a native call


@worker_init.connect
def prepare(**_signal: Any) -> None:
    # Only now, so that it comes after Celery's own: that one drops the database connections of the parent process.
    worker_process_init.connect(warm_up)


def warm_up(**_signal: Any) -> None:
    """Before a process takes work: the first image must not wait until weights are read."""
    if set(QUEUES) & set(current_app.amqp.queues.consume_from):
        warming.warm_up()
        connections.close_all()


def nudge_triage() -> None:
    """For doors: once the caller's transaction is committed, tell a worker. `sweep` makes up for a lost hint."""
    transaction.on_commit(send_hint, robust=True)


def send_hint() -> None:
    """One message on its way is enough: who takes it up looks for work only then, and finds this row among the rest.
    Putting a message together costs ten times as much as asking Redis whether one is under way.
    """
    try:
        under_way = not store().set(HINTED, 1, nx=True, px=HINTED_MS)
    except RedisError:
        under_way = False
    if not under_way:
        triage.apply_async(retry=False)


def forget_hint() -> None:
    """Before looking for work: what is committed from now on may not be seen by this look."""
    try:
        store().delete(HINTED)
    except RedisError:
        log.warning("Redis cannot be reached: hints to triage may wait a second longer")


@shared_task(name="moderation.tasks.sweep")
def sweep() -> None:
    """Nudge triage when rows wait, whatever became of their message."""
    warming.tell()
    if Submission.objects.awaiting_triage(now=timezone.now()).exists():
        triage.apply_async(queue=queue_in_force())
    if rechecking.unfinished():
        recheck.delay()


@shared_task(name="moderation.tasks.recheck")
def recheck() -> None:
    """Go on with the walks through the archive for what was added to banks; `sweep` calls again while any is left."""
    for key in rechecking.unfinished():
        rechecking.walk(key, batches=ROUNDS)


def nudge_recheck() -> None:
    """For doors: walk the archive soon after the caller's transaction is committed."""
    transaction.on_commit(send_recheck, robust=True)


def send_recheck() -> None:
    recheck.apply_async(retry=False, countdown=rechecking.SETTLE.total_seconds() + 0.5)


@shared_task(name="moderation.tasks.seal_audit")
def seal_audit() -> None:
    audit.seal()


@shared_task(name="moderation.tasks.join_clusters")
def join_near_duplicates() -> int:
    """Join what two workers began at the same moment."""
    return join_clusters()


@shared_task(name="moderation.tasks.settle_queues")
def settle_queues() -> dict[str, int]:
    """What waits takes its place in queues that were changed or retired."""
    return {"moved": requests.settle_changed()}


@shared_task(name="moderation.tasks.publish_due")
def publish_due() -> dict[str, int]:
    """What was approved for a date that has come."""
    return {"published": proposals.publish_due()}


@shared_task(name="moderation.tasks.watch_guardrails")
def watch_guardrails() -> dict[str, int]:
    """Alarms are open for what is not as usual, and policy leads have been told."""
    return {"raised": watching.look(), "told": letters.tell()}
