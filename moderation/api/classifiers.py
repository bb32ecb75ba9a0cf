"""Registered classifier versions, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifiers.models import ClassifierVersion
from moderation import shadows
from moderation.api.pagination import RecentFirst
from moderation.api.problems import Problem
from moderation.models import Scope, TriagePlan


class ClassifierAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    version = serializers.CharField(help_text="name@version, as plans pin it.")
    kind = serializers.CharField()
    categories = serializers.ListField(child=serializers.CharField())
    backbone = serializers.CharField(allow_null=True)
    embedding_size = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_blank=True)
    manifest_fingerprint = serializers.CharField(allow_blank=True, help_text="Of the labels that it learnt from.")
    recipe_digest = serializers.CharField(allow_blank=True)
    in_service = serializers.BooleanField(help_text="The plan in force pins it.")
    in_shadow = serializers.BooleanField()
    metrics = serializers.DictField()
    created_at = serializers.DateTimeField()


class ClassifierDetail(ClassifierAnswer):
    card = serializers.DictField()


class Classifiers(APIView):
    scopes = {"GET": Scope.ML}
    pagination_class = RecentFirst

    @extend_schema(
        operation_id="classifiers_list",
        summary="Registered versions with their metrics, newest first",
        responses=ClassifierAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        pages = RecentFirst()
        found = ClassifierVersion.objects.select_related("backbone").defer("card", "backbone__card")
        rows = pages.paginate_queryset(found, request, view=self)
        plan = TriagePlan.objects.in_force()
        return pages.get_paginated_response([told(row, plan) for row in rows or ()])


class OneClassifier(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(operation_id="classifier", summary="A version with its card", responses=ClassifierDetail)
    def get(self, _request: Request, pk: UUID) -> Response:
        row = ClassifierVersion.objects.select_related("backbone").filter(pk=pk).first()
        if row is None:
            raise Problem(404, _("No such classifier"), _("There is no classifier version with this id."))
        return Response({**told(row, TriagePlan.objects.in_force()), "card": row.card})


def told(row: ClassifierVersion, plan: TriagePlan | None) -> dict[str, Any]:
    copied = ("id", "kind", "categories", "embedding_size", "sha256", "manifest_fingerprint", "recipe_digest")
    return {
        **{name: getattr(row, name) for name in copied},
        "version": row.ref,
        "backbone": row.backbone.ref if row.backbone else None,
        "in_service": plan is not None and row.ref in plan.body["classifiers"],
        "in_shadow": row.ref in shadows.standing(plan),
        "metrics": row.metrics,
        "created_at": row.created_at,
    }
