"""Draws of images to learn from, for ML engineers that have signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.actors import Actor
from moderation.api.pagination import RecentFirst
from moderation.api.problems import Problem, invalid
from moderation.models import Scope
from moderation.taxonomy import Category
from review.api.doors import person_of
from review.models import Selection, SelectionItem, Strategy
from review.selection import choosing, drawing
from review.selection.budgets import MOST
from review.tasks import nudge_selection

RELATED = ("outcome", "made_by")


class SelectionOrder(serializers.Serializer[object]):
    budget = serializers.IntegerField(min_value=1, max_value=MOST, help_text="Images.")
    strategy = serializers.ChoiceField(
        choices=Strategy.choices, required=False, default=Strategy.MIX, help_text="mix: as set on the selection page."
    )
    category = serializers.ChoiceField(
        choices=Category.choices, required=False, default="", allow_blank=True, help_text="Go by this one only."
    )
    backbone = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=151, help_text="Empty: of the plan in force."
    )
    waiting = serializers.BooleanField(
        required=False, default=False, help_text="Also images that wait for a person already."
    )
    seed = serializers.IntegerField(
        required=False, min_value=0, max_value=drawing.SEEDS - 1, help_text="Left out: a new one."
    )


class SelectedImage(serializers.Serializer[object]):
    submission_id = serializers.UUIDField()
    request_id = serializers.UUIDField()
    strategy = serializers.ChoiceField(choices=Strategy.choices)
    score = serializers.FloatField(allow_null=True, help_text="Bits of entropy or of divergence.")
    probability = serializers.FloatField(allow_null=True, help_text="The chance it had, where a lot drew it.")


class SelectionAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    strategy = serializers.ChoiceField(choices=Strategy.choices)
    mix = serializers.DictField(child=serializers.IntegerField(), help_text="Per cent by strategy.")
    budget = serializers.IntegerField()
    category = serializers.CharField(allow_blank=True)
    waiting = serializers.BooleanField()
    seed = serializers.IntegerField()
    made_by = serializers.CharField(help_text="Who asked for it.")
    made_at = serializers.DateTimeField()
    done = serializers.BooleanField(help_text="Whether a worker has drawn.")
    backbone = serializers.CharField(allow_blank=True)
    versions = serializers.ListField(child=serializers.CharField(), help_text="Whose word it went by.")
    candidates = serializers.IntegerField()
    opened = serializers.IntegerField(help_text="Images that people are asked about.")
    notes = serializers.ListField(child=serializers.CharField())


class OneSelection(SelectionAnswer):
    images = SelectedImage(many=True)


class Selections(APIView):
    scopes = {"GET": Scope.ML, "POST": Scope.ML}
    pagination_class = RecentFirst

    @extend_schema(
        operation_id="selections_list",
        summary="Draws of images to learn from, newest first",
        responses=SelectionAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        """For people, not keys: they are of every client's images."""
        person_of(request)
        pages = RecentFirst()
        rows = pages.paginate_queryset(Selection.objects.select_related(*RELATED), request, view=self)
        return pages.get_paginated_response([told(row) for row in rows or ()])

    @extend_schema(
        operation_id="selection_ask",
        summary="Ask people about images that heads learn most from; a worker draws them",
        request=SelectionOrder,
        responses={201: SelectionAnswer},
    )
    def post(self, request: Request) -> Response:
        person, order = person_of(request), SelectionOrder(data=request.data)
        order.is_valid(raise_exception=True)
        said = {"seed": None, **order.validated_data}
        try:
            row = drawing.ask(
                said.pop("strategy"),
                said.pop("budget"),
                actor=Actor.person(person),
                person=person,
                mix=choosing.in_force().mix,
                **said,
            )
        except drawing.UnfitSelection as error:
            raise invalid([{"pointer": "#/backbone", "detail": str(error)}]) from error
        nudge_selection()
        return Response(told(row), status=status.HTTP_201_CREATED)


class SelectionDetail(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(operation_id="selection", summary="What came of a draw, with its images", responses=OneSelection)
    def get(self, request: Request, pk: UUID) -> Response:
        person_of(request)
        row = Selection.objects.select_related(*RELATED).filter(pk=pk).first()
        if row is None:
            raise Problem(404, _("No such draw"), _("There is no draw with this id."))
        shown = ("submission_id", "request_id", "strategy", "score", "probability")
        items = SelectionItem.objects.filter(selection=row).order_by("place").values(*shown)
        return Response({**told(row), "images": list(items)})


def told(row: Selection) -> dict[str, Any]:
    outcome = getattr(row, "outcome", None)
    copied = ("id", "strategy", "mix", "budget", "category", "waiting", "seed", "made_at")
    return {
        **{name: getattr(row, name) for name in copied},
        "made_by": row.made_by.get_username() if row.made_by else row.actor,
        "done": outcome is not None,
        "backbone": outcome.backbone if outcome else row.backbone,
        "versions": outcome.versions if outcome else [],
        "candidates": outcome.candidates if outcome else 0,
        "opened": outcome.opened if outcome else 0,
        "notes": outcome.notes if outcome else [],
    }
