"""What waits, queue by queue; and, for leads, who holds what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from moderation.models import Reason, ReviewRequest, Scope
from moderation.queues import known
from moderation.queues.definitions import Definition
from moderation.templatetags.marks import percent
from moderation.views.access import PersonRequest, requires
from review import handovers, queue
from review.access import Access
from review.models import Claim
from review.outlook import Outlook, outlooks
from review.views.past import past
from review.wellness.limits import limits_of

RECENT: Final = 6
LOOKED_THROUGH: Final = 1000  # requests whose reasons are counted
MOST_HOLDERS: Final = 100  # claims listed for a lead


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
    outlook: Outlook

    @property
    def name(self) -> str:
        return self.backlog.queue

    @property
    def counted(self) -> int:
        return sum(reason.count for reason in self.reasons)

    @property
    def words(self) -> str:
        return queue.in_words(self.name)

    @property
    def definition(self) -> Definition:
        return known.definitions().of(self.name)

    @property
    def wait(self) -> str:
        """How long a new request waits at this pace, in words; "" where nobody decided within the last hour."""
        wait = self.outlook.wait(self.backlog.open)
        if wait is None:
            return ""
        minutes = round(wait.total_seconds() / 60)
        if minutes < 1:
            return _("none")
        if minutes < 120:
            return _("%(n)d min") % {"n": minutes}
        return _("%(n)d h") % {"n": round(minutes / 60)} if minutes < 2880 else _("%(n)d days") % {"n": minutes // 1440}

    @property
    def late(self) -> list[ReasonRow]:
        """How many have used up so much of their time, the latest first; nobody is counted twice."""
        found = self.outlook
        parts = [
            (_("Past their due date"), found.late),
            (_("80 % of the time used"), found.most - found.late),
            (_("Half of the time used"), found.half - found.most),
        ]
        return [ReasonRow(words, number, percent(found.share(number))) for words, number in parts]

    @property
    def open_to(self) -> str:
        """Who works here, where it is not everybody."""
        definition = self.definition
        said = []
        if definition.members:
            number = len(definition.members)
            said.append(ngettext("%(n)d member", "%(n)d members", number) % {"n": number})
        if wanted := [*sorted(definition.spoken), *sorted(definition.specialties)]:
            said.append(", ".join(wanted))
        return " · ".join(said)


@require_safe
@requires(Scope.REVIEW)
def index(request: PersonRequest) -> HttpResponse:
    """Every queue this person may work on. Its cost is bounded: nothing counts past queue.COUNTED."""
    held = Counter(claim.request.queue for claim in queue.held(request.user))
    access = Access(request.user)
    backlogs = [one for one in queue.counts() if access.to(one.queue)]
    figures = outlooks([one.queue for one in backlogs])
    is_lead = request.user.has_scope(Scope.REVIEW_LEAD)
    context = {
        "rows": [QueueRow(one, held[one.queue], reasons_of(one), figures[one.queue]) for one in backlogs],
        "past": past(request.user, RECENT),
        "stopped": limits_of(request.user).stopped,
        "is_lead": is_lead,
        "holders": holders(request.user.pk) if is_lead else (),
    }
    return render(request, "review/queues.html", context)


@require_POST
@requires(Scope.REVIEW_LEAD)
def take_over(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The request is the lead's, who goes on with it at the desk."""
    try:
        claim = handovers.take_over(pk, request.user)
    except Claim.DoesNotExist as error:
        raise Http404 from error
    except (queue.ClaimGone, queue.NotForYou, handovers.UnfitHandover) as error:
        messages.error(request, str(error))
        return redirect("queues")
    return redirect("desk-queue", claim.request.queue)


def holders(lead: UUID) -> list[tuple[Claim, str]]:
    """What others have in hand now, the longest held first, with the queue's name. One query."""
    claims = queue.live(now=timezone.now()).filter(request__closed_at__isnull=True).exclude(reviewer=lead)
    found = claims.select_related("reviewer", "request").order_by("claimed_at")[:MOST_HOLDERS]
    return [(claim, queue.in_words(claim.request.queue)) for claim in found]


def reasons_of(backlog: queue.Backlog) -> list[ReasonRow]:
    """Why people look, most frequent first, among the most urgent requests of the queue."""
    if not backlog.open:
        return []
    urgent = ReviewRequest.objects.filter(queue=backlog.queue, closed_at__isnull=True).order_by("-priority", "id")
    counted = Counter(urgent.values_list("reason", flat=True)[:LOOKED_THROUGH])
    total = counted.total() or 1
    return [ReasonRow(str(Reason(code).label), count, percent(count / total)) for code, count in counted.most_common()]
