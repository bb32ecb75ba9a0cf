"""Where recent images would go under two plans, image by image, by replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from moderation.models import Status, Submission
from moderation.routing import Action, Context, Plan, Served, route

if TYPE_CHECKING:
    from moderation.routing import Evidence, Route

RECENT: Final = 2000
NEEDED: Final = ("pk", "heard", "territories", "audience", "surface", "context")


@dataclass(slots=True)
class Effect:
    """Where recent images would go. `images` were replayed; on `unseen` more, a pinned version has nothing stored."""

    images: int = 0
    unseen: int = 0
    before: Counter[Action] = field(default_factory=Counter)
    after: Counter[Action] = field(default_factory=Counter)
    moves: Counter[tuple[Action, Action]] = field(default_factory=Counter)

    @property
    def moved(self) -> int:
        return self.moves.total()


def effect(before: Plan | None, after: Plan, *, limit: int = RECENT) -> Effect:
    """Replay the last `limit` triaged images under both plans. A few queries, whatever `limit`; no image is opened."""
    rows = list(Submission.objects.exclude(status=Status.RECEIVED).only(*NEEDED).order_by("-pk")[:limit])
    return compared(routes(rows, before), routes(rows, after))


def routes(rows: Sequence[Submission], plan: Plan | None) -> list[Route | None]:
    """One route an image under this plan; None where a pinned version has nothing stored: nothing can be said then."""
    if plan is None:
        return [route([], None, Context()) for _each in rows]
    from moderation.triage.replay import evidence_under  # late: it brings numpy, which few pages need

    return [routed(row, evidence, plan) for row, evidence in zip(rows, evidence_under(rows, plan), strict=True)]


def routed(row: Submission, evidence: Sequence[Evidence], plan: Plan) -> Route | None:
    if any(one.error for one in evidence):
        return None
    served = Served.declared(row.territories, row.audience, row.surface, row.context)
    return route(evidence, plan, Context(served=served))


def compared(before: Sequence[Route | None], after: Sequence[Route | None]) -> Effect:
    found = Effect()
    for old, new in zip(before, after, strict=True):
        if old is None or new is None:
            found.unseen += 1
            continue
        found.images += 1
        found.before[old.action] += 1
        found.after[new.action] += 1
        if old.action != new.action:
            found.moves[old.action, new.action] += 1
    return found
