"""What waits, and taking some of it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.problems import invalid
from moderation.models import Scope
from moderation.queues import known
from review import cases, queue
from review.access import Access
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import ClaimOrder, ClaimsAnswer, QueuesAnswer
from review.outlook import Outlook, outlooks


class Queues(APIView):
    scopes = {"GET": Scope.REVIEW}

    @extend_schema(operation_id="queues_list", summary="The queues you may work on", responses=QueuesAnswer)
    def get(self, request: Request) -> Response:
        person = person_of(request)
        access = Access(person)
        backlogs = [one for one in queue.counts() if access.to(one.queue)]
        figures = outlooks([one.queue for one in backlogs])
        answer = [told(one, figures[one.queue]) for one in backlogs]
        destinations = [{"name": name, "title": title} for name, title in queue.destinations().items()]
        return Response({"queues": answer, "destinations": destinations})


def told(backlog: queue.Backlog, outlook: Outlook) -> dict[str, Any]:
    wait = outlook.wait(backlog.open)
    return {
        "name": backlog.queue,
        "title": queue.in_words(backlog.queue),
        "order": known.definitions().of(backlog.queue).order,
        "open": backlog.open,
        "capped": backlog.capped,
        "oldest": backlog.oldest,
        "due": {
            "looked_at": outlook.looked_at,
            "half": outlook.half,
            "most": outlook.most,
            "late": outlook.late,
        },
        "arrivals_per_hour": outlook.arrivals,
        "decisions_per_hour": outlook.decisions,
        "wait_seconds": None if wait is None else wait.total_seconds(),
    }


class QueueClaims(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="queues_claim",
        summary="Lease the most urgent requests to yourself",
        request=ClaimOrder,
        responses=ClaimsAnswer,
    )
    def post(self, request: Request, name: str) -> Response:
        person = person_of(request)
        count = fields_of(request, ["count"]).get("count", 1)
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= queue.MOST:
            detail = _("A whole number from 1 to %(most)d.") % {"most": queue.MOST}
            raise invalid([{"pointer": "#/count", "detail": detail}])
        with problems():
            claims = queue.claim(person, name, count)
        return Response({"claims": cases.shown(claims, person)})
