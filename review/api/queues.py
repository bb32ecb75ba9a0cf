"""What waits, and taking some of it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.problems import invalid
from moderation.models import Scope
from review import cases, queue
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import ClaimOrder, ClaimsAnswer, QueuesAnswer


class Queues(APIView):
    scopes = {"GET": Scope.REVIEW}

    @extend_schema(operation_id="queues_list", summary="The queues you may work on", responses=QueuesAnswer)
    def get(self, request: Request) -> Response:
        person = person_of(request)
        backlogs = [one for one in queue.counts() if queue.is_open_to(person, one.queue)]
        answer = [{"name": one.queue, "open": one.open, "capped": one.capped, "oldest": one.oldest} for one in backlogs]
        destinations = [{"name": name, "title": title} for name, title in queue.destinations().items()]
        return Response({"queues": answer, "destinations": destinations})


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
