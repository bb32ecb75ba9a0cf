"""Trainings, for programs that a person has signed in to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.pagination import RecentFirst
from moderation.api.problems import Problem, invalid
from moderation.models import Scope
from review.api.doors import person_of
from review.models import Training, TrainingKind, TrainingState
from review.tasks import nudge_trainings
from review.trainings import asking

RELATED = ("asked_by", "dataset", "version")


class TrainingOrder(serializers.Serializer[object]):
    dataset = serializers.UUIDField(help_text="Id of a data set whose files are on this desk.")
    kind = serializers.ChoiceField(choices=TrainingKind.choices, required=False, default=TrainingKind.HEADS)
    recipe = serializers.DictField(
        required=False, default=dict, help_text="Fields of the recipe of that kind; the rest as it has them."
    )
    name = serializers.RegexField(
        r"^[-a-zA-Z0-9_]*$",
        required=False,
        default="",
        allow_blank=True,
        max_length=100,
        help_text="Of the version; empty: as before.",
    )


class TrainingPoint(serializers.Serializer[object]):
    step = serializers.IntegerField()
    loss = serializers.FloatField(required=False, help_text="Left out where the labels are private.")
    validation = serializers.FloatField(required=False, help_text="Log loss on labels kept apart.")
    auc = serializers.FloatField(required=False)


class TrainingAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TrainingKind.choices)
    dataset = serializers.UUIDField()
    recipe = serializers.DictField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=TrainingState.choices)
    stage = serializers.CharField()
    share = serializers.FloatField(help_text="Done, from 0 to 1.")
    attempts = serializers.IntegerField(help_text="More than one: its process was killed, and another went on.")
    points = TrainingPoint(many=True)
    version = serializers.CharField(allow_null=True, help_text="name@version of what came of it.")
    skipped = serializers.BooleanField(help_text="That version was there: nothing had changed.")
    words = serializers.CharField(help_text="What came of it, or why it failed.")
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class Trainings(APIView):
    scopes = {"GET": Scope.ML, "POST": Scope.ML}
    pagination_class = RecentFirst

    @extend_schema(
        operation_id="trainings_list", summary="Trainings, newest first", responses=TrainingAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        pages = RecentFirst()
        rows = pages.paginate_queryset(Training.objects.select_related(*RELATED), request, view=self)
        return pages.get_paginated_response([told(row) for row in rows or ()])

    @extend_schema(
        operation_id="training_ask",
        summary="Train on a data set; a worker takes it up",
        request=TrainingOrder,
        responses={201: TrainingAnswer},
    )
    def post(self, request: Request) -> Response:
        person, order = person_of(request), TrainingOrder(data=request.data)
        order.is_valid(raise_exception=True)
        try:
            row = asking.ask(person, **order.validated_data)
        except asking.UnfitTraining as error:
            raise invalid([{"pointer": error.pointer, "detail": str(error)}]) from error
        nudge_trainings()
        return Response(told(row), status=status.HTTP_201_CREATED)


class TrainingDetail(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(operation_id="training", summary="How far a training is", responses=TrainingAnswer)
    def get(self, _request: Request, pk: UUID) -> Response:
        return Response(told(training_or_problem(pk)))


class Cancellation(APIView):
    scopes = {"POST": Scope.ML}

    @extend_schema(
        operation_id="training_cancel",
        summary="Stop a training; nothing of it is registered",
        request=None,
        responses={200: TrainingAnswer, 409: OpenApiResponse(description="It has ended already.")},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        person = person_of(request)
        training_or_problem(pk)
        try:
            asking.cancel(pk, person)
        except asking.TooLate as error:
            raise Problem(409, _("Too late"), str(error), code="training_ended") from error
        return Response(told(training_or_problem(pk)))


def training_or_problem(pk: UUID) -> Training:
    row = Training.objects.select_related(*RELATED).filter(pk=pk).first()
    if row is None:
        raise Problem(404, _("No such training"), _("There is no training with this id."))
    return row


def told(row: Training) -> dict[str, Any]:
    copied = ("id", "kind", "recipe", "name", "state", "stage", "share", "attempts", "points", "skipped", "words")
    times = ("asked_at", "started_at", "ended_at")
    return {
        **{name: getattr(row, name) for name in (*copied, *times)},
        "dataset": row.dataset_id,
        "version": row.version.ref if row.version else None,
        "asked_by": row.asked_by.get_username(),
    }
