"""How the tests of review arrange a backlog, and let things happen at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from django.db import connection

from moderation.models import Client, Reason, ReviewRequest, Submission, TriagePlan
from moderation.requests import Ask, open_requests
from moderation.triage import run_once
from tests import world


def waiting(platform: Client, count: int, *, red: float = 0.5, green: float = 0.0) -> list[ReviewRequest]:
    """That many requests wait for a person, oldest first; mid-red images unless told otherwise."""
    known = set(ReviewRequest.objects.values_list("pk", flat=True))
    for seed in range(count):
        world.submit(platform, world.png(red=red, green=green, seed=seed))
    while run_once().claimed:
        pass
    requests = list(ReviewRequest.objects.exclude(pk__in=known).select_related("submission").order_by("id"))
    assert len(requests) == count
    return requests


def sampled(platform: Client, plan: TriagePlan, image: bytes) -> ReviewRequest:
    """An audit sample of an image that the plan settled by itself."""
    world.publish(*plan.body["classifiers"], audit_rate=1.0)
    return ReviewRequest.objects.get(submission=world.triaged(platform, image), reason=Reason.AUDIT_SAMPLE)


def another(request: ReviewRequest, reason: Reason) -> ReviewRequest:
    """A second open request for the same image."""
    (asked,) = open_requests([Ask(submission=request.submission, reason=reason, queue=request.queue)])
    return asked


def status_of(submission: Submission) -> str:
    return Submission.objects.values_list("status", flat=True).get(pk=submission.pk)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """All of them together, each in a thread with a connection of its own; what each returned or raised, in order."""
    outcomes: list[Any] = [None] * len(calls)
    barrier = Barrier(len(calls))

    def run(index: int) -> None:
        try:
            barrier.wait(timeout=30)
            outcomes[index] = calls[index]()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcomes[index] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes
