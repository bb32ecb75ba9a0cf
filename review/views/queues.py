"""What waits, queue by queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from moderation.models import Reason, ReviewRequest, Scope
from moderation.templatetags.marks import percent
from moderation.views.access import PersonRequest, requires
from review import queue
from review.views.past import past

RECENT: Final = 6
LOOKED_THROUGH: Final = 1000  # requests whose reasons are counted


@dataclass(frozen=True, slots=True)
class ReasonRow:
    words: str
    count: int
    share: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    backlog: queue.Backlog
    held: int
    reasons: list[ReasonRow]

    @property
    def name(self) -> str:
        return self.backlog.queue

    @property
    def counted(self) -> int:
        return sum(reason.count for reason in self.reasons)

    @property
    def words(self) -> str:
        return queue.in_words(self.name)


@require_safe
@requires(Scope.REVIEW)
def index(request: PersonRequest) -> HttpResponse:
    """Every queue this person may work on. Its cost is bounded: nothing counts past queue.COUNTED."""
    held = Counter(claim.request.queue for claim in queue.held(request.user))
    rows = [
        QueueRow(backlog, held[backlog.queue], reasons_of(backlog))
        for backlog in queue.counts()
        if queue.is_open_to(request.user, backlog.queue)
    ]
    return render(request, "review/queues.html", {"rows": rows, "past": past(request.user, RECENT)})


def reasons_of(backlog: queue.Backlog) -> list[ReasonRow]:
    """Why people look, most frequent first, among the most urgent requests of the queue."""
    if not backlog.open:
        return []
    urgent = ReviewRequest.objects.filter(queue=backlog.queue, closed_at__isnull=True).order_by("-priority", "id")
    counted = Counter(urgent.values_list("reason", flat=True)[:LOOKED_THROUGH])
    total = counted.total() or 1
    return [ReasonRow(str(Reason(code).label), count, percent(count / total)) for code, count in counted.most_common()]
