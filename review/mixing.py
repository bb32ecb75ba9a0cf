"""Mild images among the hard ones: part of what is claimed is drawn forward from requests up to S1, real work all of it
(audit samples of what was approved, and what little harm was likely of), where the organisation wants that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import random

from moderation.models import User
from review import leases
from review.wellness.limits import Limits


def find(
    reviewer: User, queue: str, *, count: int, limits: Limits, most_severe: int, now: datetime
) -> list[leases.Free]:
    """The next requests within these limits, locked: by urgency, with the wanted share of mild ones spread among them.
    One statement.
    """
    share = count * limits.mild / 100
    wanted = int(share + random())  # noqa: S311 - no secret: the share is right in the long run, for single claims too
    graver = min(limits.most_severe, most_severe)
    mild = wanted if graver > leases.MILD else 0  # else all of them are
    wish = leases.Wish(queue, count, avoided=limits.avoided, most_severe=graver, mild=mild)
    found = leases.find_free(reviewer.pk, wish, now=now)
    forward = [one for one in found if one.out_of_turn]
    return spread([one for one in found if not one.out_of_turn][: count - len(forward)], forward)


def spread(urgent: Sequence[leases.Free], mild: Sequence[leases.Free]) -> list[leases.Free]:
    """Both in their own order, the mild ones evenly among the others and none of them first."""
    mixed, pitch = list(urgent), len(urgent) / (len(mild) + 1)
    for number, one in reversed(list(enumerate(mild, start=1))):
        mixed.insert(max(1, round(number * pitch)), one)
    return mixed
