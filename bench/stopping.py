"""Stopping automation under load: seconds from the click to the first image that goes to people because of it, and to
the last that a machine still decided. A real Celery worker is working off a backlog meanwhile.

    .venv/bin/python -m bench.stopping
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bench.harness import django_on_own_services, emit, images
from bench.house import WAIT_SECONDS, await_settled, client, parameters, published, received

if TYPE_CHECKING:
    from django.test import Client as Browser

ROUNDS: Final = 3
BACKLOG: Final = 2  # times the pictures there are


def main() -> None:
    with django_on_own_services() as folder:
        from celery.contrib.testing.worker import start_worker

        from config.celery import app

        pictures, source = images()
        params = parameters(published(folder, signals=False), source)
        platform, browser = client(), signed_in()
        firsts, lasts = [], []
        with start_worker(app, pool="solo", perform_ping_check=False, queues=["triage"], loglevel="WARNING"):
            for number in range(-1, ROUNDS):  # the first round warms up
                rows = received(platform, pictures * BACKLOG, f"stop-{number}")
                first, last = stopped_after(browser)
                await_settled(rows)
                browser.post("/policies/plans/lift/", {"reason": "bench"})
                firsts.append(first)
                lasts.append(last())
        measured = {"stopping.first_s": firsts[1:], "stopping.last_machine_s": lasts[1:]}
        for metric, values in measured.items():
            worst = {**params, "worst": round(max(values), 3), "backlog": len(pictures) * BACKLOG}
            emit("stopping", metric, statistics.median(values), "s", n=ROUNDS, params=worst)


def signed_in() -> Browser:
    """A policy lead at the page with the red button."""
    from django.test import Client as Browser

    from moderation import roles
    from moderation.models import User

    roles.sync()
    lead = User.objects.create_user("bench-lead")
    roles.grant(lead, roles.Role.POLICY_LEAD)
    browser = Browser(SERVER_NAME="localhost")
    browser.force_login(lead)
    return browser


def stopped_after(browser: Browser) -> tuple[float, Callable[[], float]]:
    """Sets the worker to the backlog, clicks once it has settled something, and waits for the first image that went to
    people for it. Returns the seconds that took, and what tells how long machines still decided.
    """
    from django.utils import timezone

    from moderation.models import AuditEvent
    from moderation.tasks import triage

    began = timezone.now()
    moves = AuditEvent.objects.filter(action__startswith="submission.", actor="automation:triage")
    triage.delay()
    awaited(lambda: moves.filter(at__gte=began).exists())
    clicked = timezone.now()
    answer = browser.post("/policies/plans/stop/", {"reason": "bench"})
    assert answer.status_code == 302, "the button works"
    since = moves.filter(at__gte=clicked)
    awaited(lambda: since.filter(data__reason="stopped").exists())
    sent = since.filter(data__reason="stopped").earliest("at").at

    def last() -> float:
        by_machine = since.filter(action__in=["submission.approved", "submission.blocked"]).order_by("-at").first()
        return (by_machine.at - clicked).total_seconds() if by_machine else 0.0

    return (sent - clicked).total_seconds(), last


def awaited(done: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline, "the worker works off the backlog"
        time.sleep(0.01)


if __name__ == "__main__":
    main()
