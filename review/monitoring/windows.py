"""The stretches of images that are compared: the first ones a version saw in service, frozen, and the newest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from moderation.guarantees.drifting import LEAST
from moderation.models import Alarm, TriagePlan, Verdict, Watched
from review.models import DriftReference
from review.outlook import first_key

FULL: Final = 2000  # images of a reference
SOON: Final = timedelta(days=3)  # after which LEAST of them must do
LATEST: Final = 5000  # newest images, of the last days at most
SPAN: Final = timedelta(days=7)
NO_LATER: Final = UUID(int=2**128 - 1)
PLANS: Final = 200  # how far back it is looked for when a version was pinned

Taken = tuple[UUID, int, dict[str, Any]]  # the last image's key, how many, and the body of the reference


@dataclass(frozen=True, slots=True)
class Window:
    """The `most` images after the key `after` and before `before`: the oldest of them, or the newest."""

    after: UUID
    before: UUID
    most: int
    oldest_first: bool = False

    @property
    def order(self) -> str:
        return "ASC" if self.oldest_first else "DESC"

    def values(self, **more: Any) -> dict[str, Any]:
        """What a query over it is given."""
        return {"after": self.after, "before": self.before, "most": self.most, **more}


def newest(reference: DriftReference, now: datetime) -> Window:
    """What came in lately and is no part of the reference."""
    return Window(max(reference.last, first_key(now - SPAN)), NO_LATER, LATEST)


def reference(
    subject: str, begun: datetime | None, now: datetime, take: Callable[[Window], Taken | None]
) -> tuple[DriftReference | None, int]:
    """What `subject` is compared with, taken anew where there is none since `begun` (None: whenever) and enough images
    have come in; else None and how many there are so far. Where somebody closed an alarm saying that this is how things
    are now, it begins there.
    """
    since = told_normal(subject) or begun
    kept = DriftReference.objects.filter(subject=subject)
    found = (kept.filter(begun_at__gte=since) if since else kept).order_by("-id").first()
    if found is not None:
        return found, found.n
    since = max(since or now - 2 * SPAN, now - 13 * SPAN)
    taken = take(Window(first_key(since), NO_LATER, FULL, oldest_first=True))
    if taken is None:
        return None, 0
    last, n, body = taken
    if n < LEAST or (n < FULL and now - since < SOON):
        return None, n
    row = DriftReference.objects.create(subject=subject, begun_at=since, last=last, n=n, body=body)
    return row, n


def told_normal(subject: str) -> datetime | None:
    """Since when drift of it is how things are, by who closed an alarm of it last."""
    closed = Alarm.objects.filter(scope=Watched.DRIFT, verdict=Verdict.NORMAL, figures__reference=subject)
    newest_one = closed.order_by("-closed_at").first()
    return newest_one.closed_at if newest_one else None


def pinned_since(ref: str) -> datetime | None:
    """When plans in force began to pin this version without a break; None: they do not."""
    since = None
    for published, body in (
        TriagePlan.objects.filter(candidate=False).order_by("-number").values_list("published_at", "body")[:PLANS]
    ):
        if ref not in body["classifiers"]:
            break
        since = published
    return since


def quantiles(values: Sequence[float], most: int) -> list[float]:
    """At most so many of the values, at even ranks, in order: what their distribution looks like."""
    ordered = sorted(values)
    if len(ordered) <= most:
        return ordered
    step = (len(ordered) - 1) / (most - 1)
    return [ordered[round(step * rank)] for rank in range(most)]
