"""What monitoring found, for programs."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.problems import invalid
from moderation.models import Level, Measure, Scope
from moderation.taxonomy import Category
from review.estimates.totals import NAMES, Quality
from review.monitoring import showing, weekly
from review.monitoring.showing import Snapshot

MOST_WEEKS: Final = 52
USUAL_WEEKS: Final = 12


class ReadingAnswer(serializers.Serializer[object]):
    measure = serializers.ChoiceField(choices=Measure.choices)
    subject = serializers.CharField(help_text="A version or backbone as name@version; empty: the traffic.")
    key = serializers.CharField(help_text="A category or a generator; empty: all.")
    value = serializers.FloatField(allow_null=True, help_text="Null: not enough is known yet.")
    low = serializers.FloatField(allow_null=True, help_text="Of the 95 % interval, where there is one.")
    high = serializers.FloatField(allow_null=True)
    level = serializers.ChoiceField(choices=["", *Level.values], help_text="Empty: still learning.")
    figures = serializers.DictField(help_text="What it rests on.")


class MonitoringAnswer(serializers.Serializer[object]):
    made_at = serializers.DateTimeField(allow_null=True, help_text="Of the last look; null before the first.")
    level = serializers.ChoiceField(choices=["", *Level.values], help_text="The gravest of all.")
    readings = ReadingAnswer(many=True)


class FigureAnswer(serializers.Serializer[object]):
    value = serializers.FloatField(allow_null=True, help_text="Null: nobody looked at any.")
    low = serializers.FloatField()
    high = serializers.FloatField()


class WeekAnswer(serializers.Serializer[object]):
    start = serializers.DateField(help_text="A Monday.")
    images = serializers.IntegerField()
    looked_at = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Drawn or sent to people, and not settled yet.")
    provisional = serializers.BooleanField(help_text="More than a tenth of what was drawn is not settled.")
    precision = FigureAnswer()
    miss_rate = FigureAnswer()
    recall = FigureAnswer()
    prevalence = FigureAnswer()


class Monitoring(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(
        operation_id="monitoring_latest",
        summary="Drift and figures from audits, as of the last look",
        responses=MonitoringAnswer,
    )
    def get(self, _request: Request) -> Response:
        return Response(showing.told(Snapshot.now()))


class MonitoringWeeks(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(
        operation_id="monitoring_weeks",
        summary="Precision, miss rate, recall and prevalence week by week, with 95 % intervals",
        parameters=[
            OpenApiParameter("category", str, description="A category's code; without: any harm."),
            OpenApiParameter("weeks", int, description=f"How many, {MOST_WEEKS} at most (default {USUAL_WEEKS})."),
        ],
        responses=WeekAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        category = request.query_params.get("category", "")
        if category and category not in Category.values:
            raise invalid([{"pointer": "#/category", "detail": _("There is no such category.")}])
        asked = request.query_params.get("weeks", str(USUAL_WEEKS))
        weeks = int(asked[:3]) if asked.isascii() and asked.isdigit() else 0
        if not 1 <= weeks <= MOST_WEEKS:
            raise invalid([{"pointer": "#/weeks", "detail": _("A number from 1 to %d.") % MOST_WEEKS}])
        course = weekly.course(today=timezone.now().date(), weeks=weeks, category=category)
        return Response(
            [
                {
                    "start": week.start,
                    **told(week.quality),
                    "waiting": week.waiting,
                    "provisional": week.provisional,
                }
                for week in course.weeks
            ]
        )


def told(found: Quality) -> dict[str, Any]:
    figures: dict[str, Any] = {name: getattr(found, name) for name in NAMES}
    said = {name: {"value": one.value, "low": one.low, "high": one.high} for name, one in figures.items()}
    return {"images": round(found.images), "looked_at": found.n, **said}
