"""How tests let people audit: images of a given redness come in, and somebody answers for every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moderation.models import Client, Submission, User
from moderation.triage import run_once
from review import queue
from review.decisions import decide
from tests import world

CODE = "WEAPONS_DANGEROUS"
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [{"category": CODE, "severity": 2}]}


def audited(
    platform: Client, reviewer: User, reds: Sequence[float], *, violating: float = 2.0, **fields: Any
) -> list[Submission]:
    """The images, triaged and, where a person is asked, decided: blocked from a redness of `violating` on."""
    first = Submission.objects.count()
    sent = {
        world.submit(platform, world.png(red=red, seed=first + at, size=16), **fields).pk: red
        for at, red in enumerate(reds)
    }
    while run_once().claimed:
        pass
    answer(reviewer, sent, violating)
    return list(Submission.objects.filter(pk__in=sent).order_by("pk"))


def answer(reviewer: User, sent: dict[Any, float], violating: float) -> None:
    while claims := queue.claim(reviewer, queue.GENERAL, 10):
        for claim in claims:
            red = sent[claim.request.submission_id]
            decide(claim.pk, reviewer, **(BLOCK if red >= violating else {"verdict": "approve"}))
