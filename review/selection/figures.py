"""What came of draws: how many of the images were answered, and how. No estimate of anything: they were chosen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from django.utils import timezone

from review.models import Decision, Effect, Selection, SelectionItem, Strategy, Verdict
from review.quality.gathering import SAID

SPAN: Final = timedelta(days=90)
K = TypeVar("K", str, UUID)
MOST: Final = 20_000  # of the newest images drawn


@dataclass(frozen=True, slots=True)
class Came:
    """Of images asked about: how many were answered, how many of those violate, and in how many a machine had been
    wrong.
    """

    asked: int = 0
    answered: int = 0
    violating: int = 0
    wrong: int = 0

    def share(self, number: int) -> float | None:
        return number / self.answered if self.answered else None

    @property
    def violating_share(self) -> float | None:
        return self.share(self.violating)

    @property
    def wrong_share(self) -> float | None:
        return self.share(self.wrong)


def by_strategy(*, now: datetime | None = None) -> list[tuple[Strategy, Came]]:
    """Of the draws of the last SPAN. Two queries."""
    recent = SelectionItem.objects.filter(selection__made_at__gte=(now or timezone.now()) - SPAN)
    found = counted(list(recent.order_by("-id").values_list("strategy", "request_id", "submission__route")[:MOST]))
    return [(one, found[one.value]) for one in Strategy if one.value in found]


def by_selection(rows: Sequence[Selection]) -> dict[UUID, Came]:
    """Of each of these draws. Two queries."""
    items = SelectionItem.objects.filter(selection__in=rows)
    return counted(list(items.values_list("selection_id", "request_id", "submission__route")))


def counted(items: Sequence[tuple[K, UUID, str]]) -> dict[K, Came]:
    """By the first of each: (group, request, route at triage)."""
    said = answers([request for _group, request, _route in items])
    sums: dict[K, Counter[str]] = defaultdict(Counter)
    for group, request, route in items:
        sums[group]["asked"] += 1
        if request in said:
            harmful = said[request] != Verdict.APPROVE
            wrong = (route == "approve" and harmful) or (route == "block" and not harmful)
            sums[group].update({"answered": 1, "violating": int(harmful), "wrong": int(wrong)})
    return {group: Came(**dict(one)) for group, one in sums.items()}


def answers(requests: Sequence[UUID]) -> dict[UUID, str]:
    """The standing verdict that settled each request."""
    found = Decision.objects.filter(
        claim__request__in=requests, verdict__in=SAID, effect__settles=True, effect__state__in=Effect.STANDING
    )
    return dict(found.order_by("id").values_list("claim__request_id", "verdict"))
