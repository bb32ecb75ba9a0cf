"""Mild images among the hard ones: part of what is claimed is drawn forward from requests up to S1, real work all of it
(audit samples of what was approved, and what little harm was likely of), where the organisation wants that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import random
from typing import Final

from moderation.models import User
from moderation.taxonomy import Severity
from review import leases
from review.wellness.limits import Limits

MILD: Final = Severity.S1


def find(
    reviewer: User, queue: str, *, count: int, limits: Limits, most_severe: int, now: datetime
) -> list[leases.Free]:
    """The next requests within these limits, locked: by urgency, with the wanted share of mild ones spread among them.

    One statement more where mild ones are wanted; it passes over graver requests by the index alone.
    """
    share = count * limits.mild / 100
    wanted = int(share + random())  # noqa: S311 - no secret: the share is right in the long run, for single claims too
    graver = min(limits.most_severe, most_severe)
    mild = take(reviewer, queue, wanted, limits, min(MILD, graver), now) if wanted and graver > MILD else []
    drawn = {one.request.pk for one in mild}
    found = [one for one in take(reviewer, queue, count, limits, graver, now) if one.request.pk not in drawn]
    return spread(found[: count - len(mild)], mild)


def take(reviewer: User, queue: str, count: int, limits: Limits, most_severe: int, now: datetime) -> list[leases.Free]:
    return leases.find_free(reviewer.pk, queue, count=count, now=now, avoided=limits.avoided, most_severe=most_severe)


def spread(urgent: Sequence[leases.Free], mild: Sequence[leases.Free]) -> list[leases.Free]:
    """Both in their own order, the mild ones evenly among the others and none of them first."""
    mixed, pitch = list(urgent), len(urgent) / (len(mild) + 1)
    for number, one in reversed(list(enumerate(mild, start=1))):
        mixed.insert(max(1, round(number * pitch)), one)
    return mixed
