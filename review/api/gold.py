"""Gold items: images whose right answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.pagination import RecentFirst
from moderation.api.problems import Problem, invalid
from moderation.models import Scope, Status, Submission
from moderation.taxonomy import Category
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import Label
from review.models import GoldItem
from review.quality import gold
from review.quality.gold import UnfitGold

UNFIT = OpenApiResponse(description="Not decided, under legal hold, or a gold item already. Nothing was changed.")


class GoldOrder(serializers.Serializer[object]):
    submission_id = serializers.UUIDField(help_text="Decided beyond doubt.")
    verdict = serializers.ChoiceField(choices=[(one.value, one.label) for one in GoldItem.EXPECTED])
    labels = Label(many=True, required=False, default=list, help_text="What it violates; a block names at least one.")
    category = serializers.ChoiceField(
        choices=Category.choices, required=False, help_text="Of one to approve: what it is easily mistaken for."
    )
    why = serializers.CharField(help_text="Why this is the right answer.")


class GoldAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    submission_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=[(one.value, one.label) for one in GoldItem.EXPECTED])
    labels = Label(many=True)
    category = serializers.ChoiceField(choices=Category.choices)
    why = serializers.CharField()
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)


class Gold(GenericAPIView[GoldItem]):
    scopes = {"GET": Scope.REVIEW_ESCALATED, "POST": Scope.REVIEW_ESCALATED}
    pagination_class = RecentFirst
    filter_backends = ()

    def get_queryset(self) -> QuerySet[GoldItem]:
        return GoldItem.objects.filter(retired_at__isnull=True).select_related("made_by")

    @extend_schema(operation_id="gold_list", summary="Gold items in use", responses=GoldAnswer(many=True))
    def get(self, request: Request) -> Response:
        person_of(request)
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([present(item) for item in page])

    @extend_schema(
        operation_id="gold_add", summary="Make a gold item", request=GoldOrder, responses={201: GoldAnswer, 409: UNFIT}
    )
    def post(self, request: Request) -> Response:
        person = person_of(request)
        said: dict[str, Any] = {"verdict": None, "labels": [], "category": "", "why": ""}
        said |= fields_of(request, ("verdict", "labels", "category", "why"))
        submission = submission_of(fields_of(request, ("submission_id",)).get("submission_id"))
        with problems(), unfit():
            item = gold.add(submission, person, **said)
        return Response(present(item), status=status.HTTP_201_CREATED)


class GoldRetirement(APIView):
    scopes = {"POST": Scope.REVIEW_ESCALATED}

    @extend_schema(
        operation_id="gold_retire",
        summary="Give it out no more",
        request=None,
        responses={200: GoldAnswer, 409: OpenApiResponse(description="It is retired already.")},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        person = person_of(request)
        with unfit():
            try:
                item = gold.retire(pk, person)
            except GoldItem.DoesNotExist as error:
                raise Problem(404, _("No such item"), _("There is no gold item with this id.")) from error
        return Response(present(item))


@contextmanager
def unfit() -> Iterator[None]:
    try:
        yield
    except UnfitGold as error:
        raise Problem(409, _("Not fit to be gold"), str(error), code="unfit_gold") from error


def submission_of(key: Any) -> Submission:
    """Raises Problem: what is under legal hold is told of no more than what is not there."""
    try:
        found = Submission.objects.exclude(status=Status.QUARANTINED).filter(pk=UUID(key)).first()
    except (TypeError, ValueError, AttributeError) as error:
        raise invalid([{"pointer": "#/submission_id", "detail": _("This is no id of a submission.")}]) from error
    if found is None:
        raise Problem(404, _("No such image"), _("There is no image with this id."))
    return found


def present(item: GoldItem) -> dict[str, Any]:
    return {
        "id": item.pk,
        "submission_id": item.submission_id,
        "verdict": item.verdict,
        "labels": item.labels,
        "category": item.category,
        "why": item.why,
        "made_by": item.made_by.get_username(),
        "made_at": item.made_at,
        "retired_at": item.retired_at,
    }
