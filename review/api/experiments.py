"""Two plans side by side, for programs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.problems import invalid
from moderation.experiments.comparing import ALPHA, MEASURES, Measured
from moderation.experiments.sequences import Arm
from moderation.models import Scope, TriagePlan
from review import experiments


class ArmAnswer(serializers.Serializer[object]):
    images = serializers.IntegerField()
    hits = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)


class MeasureAnswer(serializers.Serializer[object]):
    measure = serializers.ChoiceField(choices=list(MEASURES))
    first = ArmAnswer()
    second = ArmAnswer()
    difference = serializers.FloatField(allow_null=True, help_text="The second's share less the first's.")
    low = serializers.FloatField()
    high = serializers.FloatField()
    verdict = serializers.ChoiceField(
        choices=["higher", "lower", "same", "open"], help_text="Of the second plan; open: not told apart so far."
    )


class ComparisonAnswer(serializers.Serializer[object]):
    first = serializers.IntegerField(help_text="Number of the plan that is compared with.")
    second = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True, help_text="The first full hour that both routed images in.")
    until = serializers.DateTimeField(allow_null=True)
    hours = serializers.IntegerField()
    confidence = serializers.FloatField(help_text="Of all intervals together, at all looks together.")
    same_audits = serializers.BooleanField()
    measures = MeasureAnswer(many=True)


class Experiments(APIView):
    scopes = {"GET": Scope.POLICY_READ}

    @extend_schema(
        operation_id="plans_compare",
        summary="Two plans on the same traffic, compared so that one may look at any time",
        parameters=[
            OpenApiParameter("first", int, required=True, description="Number of the plan to compare with."),
            OpenApiParameter("second", int, required=True, description="Number of the other plan."),
        ],
        responses=ComparisonAnswer,
    )
    def get(self, request: Request) -> Response:
        first, second = (plan_of(request, name) for name in ("first", "second"))
        if first == second:
            raise invalid([{"pointer": "#/second", "detail": _("Name two different plans.")}])
        found = experiments.compare(first, second)
        return Response(
            {
                "first": first.number,
                "second": second.number,
                "since": found.hours.since,
                "until": found.hours.until,
                "hours": found.hours.count,
                "confidence": 1 - ALPHA,
                "same_audits": found.even,
                "measures": [told(one) for one in found.measured],
            }
        )


def plan_of(request: Request, name: str) -> TriagePlan:
    asked = request.query_params.get(name, "")
    number = int(asked[:9]) if asked.isascii() and asked.isdigit() else 0
    row = TriagePlan.objects.filter(number=number).first()
    if row is None:
        raise invalid([{"pointer": f"#/{name}", "detail": _("The number of a published plan.")}])
    return row


def told(one: Measured) -> dict[str, Any]:
    found = one.difference
    arms = {"first": arm(one.first), "second": arm(one.second)}
    interval = {"difference": found.estimate, "low": found.low, "high": found.high}
    return {"measure": one.name, **arms, **interval, "verdict": one.verdict}


def arm(one: Arm) -> dict[str, Any]:
    return {"images": one.images, "hits": one.hits, "share": one.share}
