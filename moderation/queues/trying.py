"""Where requests would have gone: a definition tried on the newest ones before it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moderation.models import ReviewRequest
from moderation.queues.definitions import ESCALATED, Definition, Definitions
from moderation.requests import facts_of

NEWEST: Final = 500


@dataclass(frozen=True, slots=True)
class Change:
    """So many of the newest requests would go `to`, where the rules in force send them to `origin`."""

    origin: str
    to: str
    number: int


@dataclass(frozen=True, slots=True)
class Trial:
    """Of `looked_at` requests, how many each queue would get, and which would go elsewhere than now."""

    looked_at: int
    shares: Sequence[tuple[str, int]]
    changes: Sequence[Change]


def try_out(before: Definitions, after: Definitions) -> Trial:
    """Both sets of rules on the newest requests. One query."""
    newest = ReviewRequest.objects.select_related("submission").order_by("-id")[:NEWEST]
    facts = [facts_of(one.submission, one.reason, one.category, one.severity) for one in newest]
    moved = Counter((before.route(one).slug, after.route(one).slug) for one in facts)
    shares: Counter[str] = Counter()
    for (_origin, to), number in moved.items():
        shares[to] += number
    names = {slug: queues.of(slug).title or slug for queues in (before, after) for slug in queues.slugs()}
    changes = [Change(names[origin], names[to], number) for (origin, to), number in moved.most_common() if origin != to]
    return Trial(len(facts), [(names[slug], shares[slug]) for slug in after.slugs() if slug != ESCALATED], changes)


def with_one(queues: Definitions, positions: Sequence[tuple[int, Definition]]) -> Definitions:
    """These queues in the order of their positions."""
    ordered = sorted(positions, key=lambda one: (one[0], one[1].slug))
    return Definitions([definition for _position, definition in ordered], queues.retired)
