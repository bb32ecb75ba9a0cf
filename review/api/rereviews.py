"""Decisions made under an older wording of a guideline, and asking somebody to look at their images again."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from moderation.api.pagination import RecentFirst
from moderation.api.problems import Problem, invalid
from moderation.models import Scope
from moderation.taxonomy import Category
from review import rereviews
from review.api.doors import fields_of, person_of
from review.api.shapes import Label
from review.models import Decision, Verdict


class OutdatedAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField(help_text="The decision.")
    submission_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    labels = Label(many=True)
    policy_version = serializers.CharField(help_text="The guideline it was decided by.")
    decided_at = serializers.DateTimeField()
    asked = serializers.BooleanField(help_text="Whether somebody is asked about the image already.")


class ReReviewOrder(serializers.Serializer[object]):
    decisions = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=rereviews.MOST,
        help_text="Of this list; without it, the newest that nobody is asked about yet.",
    )


class ReReviewAnswer(serializers.Serializer[object]):
    opened = serializers.IntegerField(help_text="Images that somebody is asked about now.")
    open_before = serializers.IntegerField(help_text="Those that somebody was asked about already.")


class ReReviews(GenericAPIView[Decision]):
    scopes = {"GET": Scope.POLICY, "POST": Scope.POLICY}
    queryset = Decision.objects.none()
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(
        operation_id="policies_rereviews",
        summary="Decisions made under an older wording, and not decided since",
        responses=OutdatedAnswer(many=True),
    )
    def get(self, request: Request, category: str) -> Response:
        """For people, not keys: they are of every client's images."""
        person_of(request)
        rows: QuerySet[Decision] = rereviews.outdated(category_or_problem(category))
        page = cast("list[Decision]", self.paginate_queryset(rows))
        return self.get_paginated_response([told(row) for row in page])

    @extend_schema(
        operation_id="policies_rereview",
        summary="Ask somebody to look at their images again; each stays where it is until they have",
        request=ReReviewOrder,
        responses=ReReviewAnswer,
    )
    def post(self, request: Request, category: str) -> Response:
        """At most 500 in one go; asking twice asks once."""
        person, code = person_of(request), category_or_problem(category)
        asked = rereviews.ask_again(code, person, chosen(fields_of(request, ("decisions",))))
        return Response({"opened": asked.opened, "open_before": asked.open_before})


def category_or_problem(said: str) -> Category:
    if said not in Category.values:
        raise Problem(404, _("No such category"), _("There is no category with this code."))
    return Category(said)


def chosen(said: dict[str, Any]) -> list[UUID] | None:
    if "decisions" not in said:
        return None
    order = ReReviewOrder(data=said)
    if not order.is_valid():
        detail = _("Up to %(most)d ids of decisions.") % {"most": rereviews.MOST}
        raise invalid([{"pointer": "#/decisions", "detail": detail}])
    return list(order.validated_data["decisions"])


def told(row: Decision) -> dict[str, Any]:
    return {
        "id": row.pk,
        "submission_id": row.submission_id,
        "verdict": row.verdict,
        "labels": row.labels,
        "policy_version": str(row.policy),
        "decided_at": row.decided_at,
        "asked": bool(getattr(row, "asked", False)),
    }
