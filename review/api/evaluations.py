"""Evaluations, for programs: asked for, waited for, and read."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifiers.models import ClassifierVersion
from moderation.api.pagination import RecentFirst
from moderation.api.problems import invalid
from moderation.models import Scope
from review.api.doors import person_of
from review.evaluation_forms import ALONE, SERVICE
from review.evaluations import orders
from review.evaluations.declaring import UnknownAttribute
from review.models import Dataset, Evaluation, EvaluationOrder, OrderState, Sample
from review.tasks import nudge_evaluations


class OrderJSON(serializers.Serializer[object]):
    candidate = serializers.CharField(help_text="name@version")
    against = serializers.CharField(
        default=SERVICE, help_text="name@version; “service”: what it would replace; “none”: nothing."
    )
    dataset = serializers.CharField(
        default="", allow_blank=True, help_text="The fingerprint of a data set; empty: the gold items."
    )
    split = serializers.ChoiceField(choices=[one.value for one in Sample if one != Sample.GOLD], default=Sample.TEST)
    alpha = serializers.FloatField(default=0.01, help_text="The FOR at which reviewer load is compared.")
    delta = serializers.FloatField(default=0.05)
    by = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        help_text="Attributes of slices and groups: generator, seen, territory, language, audience, surface, style, "
        "or context.KEY. Left out: all of them.",
    )


class OrderAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=OrderState.choices)
    candidate = serializers.CharField()
    incumbent = serializers.CharField(allow_null=True)
    dataset = serializers.CharField(allow_null=True)
    split = serializers.ChoiceField(choices=Sample.choices)
    why = serializers.CharField(help_text="Why it could not be measured; else empty.")
    evaluation = serializers.UUIDField(allow_null=True)


class EvaluationLine(serializers.Serializer[object]):
    id = serializers.UUIDField()
    candidate = serializers.CharField()
    incumbent = serializers.CharField(allow_null=True)
    dataset = serializers.CharField(allow_null=True, help_text="Null: gold items.")
    split = serializers.ChoiceField(choices=Sample.choices)
    plan = serializers.IntegerField(allow_null=True)
    made_at = serializers.DateTimeField()
    summary = serializers.DictField(help_text="Means over the categories that both score, a side each.")


class EvaluationAnswer(EvaluationLine):
    figures = serializers.DictField(help_text="All figures, by category; images that change sides are left out.")


class Evaluations(GenericAPIView[Evaluation]):
    scopes = {"GET": Scope.ML, "POST": Scope.ML}
    queryset = Evaluation.objects.select_related("candidate", "incumbent", "dataset", "plan")
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(
        operation_id="evaluations_list", summary="List evaluations, newest first", responses=EvaluationLine(many=True)
    )
    def get(self, request: Request) -> Response:
        rows = self.get_queryset()
        if ref := request.query_params.get("version", ""):
            rows = rows.filter(candidate__in=ClassifierVersion.objects.with_refs([ref]))
        page = cast("list[Evaluation]", self.paginate_queryset(rows))
        return self.get_paginated_response([line(row) for row in page])

    @extend_schema(
        operation_id="evaluations_create",
        summary="Have a version measured; a worker does it",
        request=OrderJSON,
        responses={202: OrderAnswer},
    )
    def post(self, request: Request) -> Response:
        form = OrderJSON(data=request.data)
        form.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(form.validated_data)
        candidate = version_of(said["candidate"], "candidate")
        dataset = dataset_of(said["dataset"]) if said["dataset"] else None
        from review.evaluations.measuring import BY

        try:
            order = orders.ask(
                person_of(request),
                candidate,
                incumbent_of(said["against"], candidate),
                dataset=dataset,
                split=said["split"] if dataset else Sample.GOLD,
                alpha=said["alpha"],
                delta=said["delta"],
                by=said.get("by", list(BY)),
            )
        except (orders.CannotEvaluate, UnknownAttribute) as error:
            raise invalid([{"pointer": "#", "detail": str(error)}]) from error
        nudge_evaluations()
        return Response(order_told(order), status=202)


class OneEvaluation(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(operation_id="evaluations_retrieve", summary="Read one evaluation", responses=EvaluationAnswer)
    def get(self, _request: Request, pk: UUID) -> Response:
        row = get_object_or_404(Evaluation.objects.select_related("candidate", "incumbent", "dataset", "plan"), pk=pk)
        return Response({**line(row), "figures": without_images(row.figures)})


class OneOrder(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(
        operation_id="evaluations_order", summary="How far an evaluation is that was asked for", responses=OrderAnswer
    )
    def get(self, _request: Request, pk: UUID) -> Response:
        rows = EvaluationOrder.objects.select_related("candidate", "incumbent", "dataset")
        return Response(order_told(get_object_or_404(rows, pk=pk)))


def version_of(ref: str, name: str) -> ClassifierVersion:
    row = ClassifierVersion.objects.with_refs([ref]).first()
    if row is None:
        raise invalid([{"pointer": f"#/{name}", "detail": _("%(ref)s is not registered.") % {"ref": ref}}])
    return row


def incumbent_of(said: str, candidate: ClassifierVersion) -> ClassifierVersion | None:
    if said == SERVICE:
        return orders.counterpart(candidate)
    return None if said == ALONE else version_of(said, "against")


def dataset_of(fingerprint: str) -> Dataset:
    row = Dataset.objects.filter(fingerprint=fingerprint).first()
    if row is None:
        raise invalid([{"pointer": "#/dataset", "detail": _("There is no data set with this fingerprint.")}])
    return row


def line(row: Evaluation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "candidate": row.candidate.ref,
        "incumbent": row.incumbent.ref if row.incumbent else None,
        "dataset": row.dataset.fingerprint if row.dataset else None,
        "split": row.split,
        "plan": row.plan.number if row.plan else None,
        "made_at": row.made_at,
        "summary": row.figures["summary"],
    }


def order_told(order: EvaluationOrder) -> dict[str, Any]:
    found = orders.evaluation_of(order.pk)
    return {
        "id": order.pk,
        "state": order.state,
        "candidate": order.candidate.ref,
        "incumbent": order.incumbent.ref if order.incumbent else None,
        "dataset": order.dataset.fingerprint if order.dataset else None,
        "split": order.split,
        "why": order.why,
        "evaluation": found.pk if found else None,
    }


def without_images(figures: dict[str, Any]) -> dict[str, Any]:
    """What lies under legal hold since is named nowhere; the page's CSV names the rest."""
    categories = {
        code: {name: part for name, part in one.items() if name != "moved"}
        for code, one in figures["categories"].items()
    }
    return {**figures, "categories": categories}
