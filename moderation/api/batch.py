"""Sending up to a hundred submissions in one request."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation import tasks
from moderation.actors import Actor
from moderation.api import intake
from moderation.api.actors import actor_of, client_of
from moderation.api.answers import present
from moderation.api.problems import Problem, invalid
from moderation.api.shapes import BatchAnswer, BatchJSON
from moderation.models import Client, Scope

MOST: Final = 100


class SubmissionBatch(APIView):
    scopes = {"POST": Scope.SUBMISSIONS_WRITE}

    @extend_schema(
        operation_id="submissions_batch",
        summary="Send up to a hundred images",
        request=BatchJSON,
        responses={200: BatchAnswer},
    )
    def post(self, request: Request) -> Response:
        """Each item has a result of its own, in order; one that cannot be taken does not sink the others."""
        client = client_of(request)
        if intake.is_too_large(request):
            raise RequestDataTooBig
        items = items_of(request.data)
        intake.check_room()
        results = [result_of(client, item, actor=actor_of(request)) for item in items]
        if any(result["status"] == 202 for result in results):
            tasks.nudge_triage()
        return Response({"results": results})


def items_of(data: Any) -> list[Any]:
    items = data.get("submissions") if isinstance(data, dict) else data
    if not isinstance(items, list) or not 1 <= len(items) <= MOST:
        message = _("Must be a list of 1 to %(most)d submissions.") % {"most": MOST}
        raise invalid([{"pointer": "#/submissions", "detail": message}])
    return items


def result_of(client: Client, item: Any, *, actor: Actor) -> dict[str, Any]:
    """What the same item would have been answered on its own: its status, and either `submission` or `problem`."""
    try:
        accepted = intake.take(client, *intake.from_json(item), actor=actor)
    except Problem as problem:
        return {"status": problem.status_code, "submission": None, "problem": problem.body()}
    submission = present(accepted.submission)
    return {"status": 202 if accepted.created else 200, "submission": submission, "problem": None}
