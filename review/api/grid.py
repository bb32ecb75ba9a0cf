"""Many decisions in one call, an answer each."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.models import Scope
from review import grid
from review.api.claims import IDEMPOTENCY_KEY, present
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import DecisionAnswer, Label, Seen
from review.judgements import LONGEST
from review.models import Verdict


class GridOrder(serializers.Serializer[object]):
    claim_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=Verdict.choices, required=False)
    labels = Label(many=True, required=False, default=list)
    rationale = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST)
    seen = Seen(required=False, default=dict)
    follows = serializers.UUIDField(
        required=False, help_text="The claim of a near-duplicate in this call whose decision it takes over and cites."
    )


class GridOrders(serializers.Serializer[object]):
    decisions = GridOrder(many=True, help_text=f"1–{grid.MOST}.")


class GridAnswer(serializers.Serializer[object]):
    claim_id = serializers.UUIDField(allow_null=True)
    status = serializers.IntegerField(help_text="As if it had been sent alone.")
    decision = DecisionAnswer(allow_null=True)
    spot_check = serializers.BooleanField(help_text="Left to somebody else, as a check on what it was to follow.")
    problem = serializers.CharField(allow_null=True)


class GridAnswers(serializers.Serializer[object]):
    results = GridAnswer(many=True)


class GridDecisions(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_decide_many",
        summary="Decide on many claims; one bad item does not sink the others",
        parameters=[IDEMPOTENCY_KEY],
        request=GridOrders,
        responses=GridAnswers,
    )
    def post(self, request: Request) -> Response:
        person = person_of(request)
        items = fields_of(request, ["decisions"]).get("decisions")
        key = request.headers.get("Idempotency-Key", "")
        with problems():
            answers = grid.decide_all(person, items if isinstance(items, list) else [], key=key)
        return Response({"results": [told(answer) for answer in answers]})


def told(answer: grid.Answer) -> dict[str, Any]:
    status, problem = (201, None) if answer.error is None else refused(answer.error)
    return {
        "claim_id": answer.claim_id,
        "status": status,
        "decision": present(answer.decision) if answer.decision else None,
        "spot_check": answer.spot_check,
        "problem": problem,
    }


def refused(error: Exception) -> tuple[int, str]:
    """What the same item would have been answered alone; what nobody foresaw is raised."""
    try:
        with problems():
            raise error
    except APIException as answer:
        return answer.status_code, str(error) or str(answer.detail)
