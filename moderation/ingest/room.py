"""Whether triage is so far behind that nothing more should come in."""

from __future__ import annotations

import time

from moderation.models import Status, Submission

SECONDS = 1.0  # between two looks of one process
_looked: dict[int, tuple[float, bool]] = {}


def is_behind(limit: int) -> bool:
    """Whether at least `limit` images wait for triage, as of a second ago. Counts no further than that."""
    until, behind = _looked.get(limit, (0.0, False))
    if time.monotonic() >= until:
        waiting = Submission.objects.filter(status=Status.RECEIVED).order_by("created_at")
        behind = waiting[limit - 1 : limit].exists()
        _looked[limit] = time.monotonic() + SECONDS, behind
    return behind
