"""A day's decisions, as the measures count them: who said what of which image, and what settled it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from moderation.models import Reason
from review.models import Decision, Effect, Verdict
from review.queue import ESCALATED

CHUNK: Final = 2000
SAID: Final = (Verdict.APPROVE, Verdict.BLOCK, Verdict.QUARANTINE)
COLUMNS: Final = (
    "submission_id",
    "id",
    "reviewer_id",
    "verdict",
    "labels",
    "decided_at",
    "effect__settles",
    "effect__queue",
    "claim__request_id",
    "claim__request__reason",
    "claim__request__category",
    "claim__request__needed",
    "submission__route",
    "submission__inclusion_probability",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One decision that stands."""

    submission: UUID
    decision: UUID
    reviewer: UUID
    verdict: Verdict
    severities: dict[str, int]  # of the categories named; at least 1, for named is named
    at: datetime
    settles: bool
    queue: str
    request: UUID
    reason: str
    category: str
    needed: int
    route: str
    chance: float  # that a person saw this image

    @classmethod
    def of(cls, row: Sequence[Any]) -> Said:
        submission, decision, reviewer, verdict, labels, at, settles, queue, request, reason, category, *rest = row
        needed, route, chance = rest
        named = {one["category"]: max(1, int(one["severity"])) for one in labels}
        said = (submission, decision, reviewer, Verdict(verdict), named, at, settles, queue, request, reason, category)
        return cls(*said, needed, route, chance or 1.0)

    @property
    def harmful(self) -> bool:
        return self.verdict != Verdict.APPROVE

    @property
    def independent(self) -> bool:
        """Without sight of what others said: who adjudicates knows."""
        return self.queue != ESCALATED

    def severity(self, category: str) -> int:
        """0: this person saw no such harm. "" is any harm at all."""
        if category:
            return self.severities.get(category, 0) if self.harmful else 0
        return max(self.severities.values(), default=1) if self.harmful else 0


def span(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time.min, tzinfo=UTC)
    return start, start + timedelta(days=1)


def images(day: date) -> Iterator[list[Said]]:
    """Of every image that somebody decided on that day (UTC) all that stands, oldest first; answers to gold items are
    left out. Its cost goes with the day's decisions.
    """
    start, end = span(day)
    of_day = Decision.objects.filter(decided_at__gte=start, decided_at__lt=end, verdict__in=SAID)
    keys = sorted(set(of_day.values_list("submission_id", flat=True)))
    for at in range(0, len(keys), CHUNK):
        standing = Decision.objects.filter(
            submission__in=keys[at : at + CHUNK], verdict__in=SAID, effect__state__in=Effect.STANDING
        ).exclude(claim__request__reason=Reason.GOLD)
        rows = standing.order_by("submission_id", "id").values_list(*COLUMNS)
        for _key, group in groupby(rows, key=lambda row: row[0]):
            yield [Said.of(row) for row in group]


def votes_of(said: Sequence[Said]) -> list[Said]:
    """Each person's first independent word on an image."""
    return list({one.reviewer: one for one in reversed(said) if one.independent}.values())[::-1]


def settling(said: Sequence[Said]) -> Said | None:
    """What settled the image, as it stands now."""
    return next((one for one in reversed(said) if one.settles), None)
