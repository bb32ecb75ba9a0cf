"""Audits of labels, for ML engineers that have signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.actors import Actor
from moderation.api.pagination import RecentFirst
from moderation.api.problems import Problem, invalid
from moderation.models import Scope, Status
from review.api.doors import person_of
from review.api.label_audit_shapes import (
    AuditSendAnswer,
    AuditSendOrder,
    LabelAuditAnswer,
    LabelAuditOrder,
    OneLabelAudit,
)
from review.label_audits import asking, running
from review.models import Dataset, LabelAudit, LabelSuspicion
from review.tasks import nudge_audits

RELATED = ("outcome", "dataset", "made_by")
SHOWN = 200  # of the doubted labels, the most doubted


class LabelAudits(APIView):
    scopes = {"GET": Scope.ML, "POST": Scope.ML}
    pagination_class = RecentFirst

    @extend_schema(
        operation_id="label_audits_list",
        summary="Audits of labels, newest first",
        responses=LabelAuditAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        """For people, not keys: they are of every client's images."""
        person_of(request)
        pages = RecentFirst()
        rows = pages.paginate_queryset(LabelAudit.objects.select_related(*RELATED), request, view=self)
        return pages.get_paginated_response([told(row) for row in rows or ()])

    @extend_schema(
        operation_id="label_audit_ask",
        summary="Find the labels of a data set that are likely wrong; a worker takes it up",
        request=LabelAuditOrder,
        responses={201: LabelAuditAnswer},
    )
    def post(self, request: Request) -> Response:
        person, order = person_of(request), LabelAuditOrder(data=request.data)
        order.is_valid(raise_exception=True)
        dataset = Dataset.objects.filter(pk=order.validated_data["dataset"]).first()
        if dataset is None:
            raise invalid([{"pointer": "#/dataset", "detail": _("There is no data set with this id.")}])
        version = order.validated_data["version"]
        try:
            row = running.ask(dataset, actor=Actor.person(person), person=person, version=version)
        except running.UnfitAudit as error:
            raise invalid([{"pointer": "#/version", "detail": str(error)}]) from error
        nudge_audits()
        return Response(told(row), status=status.HTTP_201_CREATED)


class LabelAuditDetail(APIView):
    scopes = {"GET": Scope.ML}

    @extend_schema(operation_id="label_audit", summary="What an audit found", responses=OneLabelAudit)
    def get(self, request: Request, pk: UUID) -> Response:
        person_of(request)
        row = audit_or_problem(pk)
        doubts = LabelSuspicion.objects.filter(audit=row).exclude(submission__status=Status.QUARANTINED)
        shown = list(doubts.order_by("place")[:SHOWN])
        came = asking.answers(shown)
        outcome = getattr(row, "outcome", None)
        suspects = [doubted(one, came[one.pk]) for one in shown]
        return Response({**told(row), "figures": outcome.figures if outcome else {}, "suspects": suspects})


class LabelAuditSending(APIView):
    scopes = {"POST": Scope.ML}

    @extend_schema(
        operation_id="label_audit_send",
        summary="Ask somebody else about the most doubted images; each stays where it is until they have answered",
        request=AuditSendOrder,
        responses=AuditSendAnswer,
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Asking twice asks once."""
        person, order = person_of(request), AuditSendOrder(data=request.data)
        order.is_valid(raise_exception=True)
        said = dict(order.validated_data)
        sent = asking.send(audit_or_problem(pk), said.pop("count"), actor=Actor.person(person), person=person, **said)
        return Response({"opened": sent.opened, "open_before": sent.open_before})


def audit_or_problem(pk: UUID) -> LabelAudit:
    row = LabelAudit.objects.select_related(*RELATED).filter(pk=pk).first()
    if row is None:
        raise Problem(404, _("No such audit"), _("There is no audit of labels with this id."))
    return row


def doubted(one: LabelSuspicion, came: asking.Answer) -> dict[str, Any]:
    copied = ("submission_id", "category", "place", "probability", "agreement", "suspicion", "flagged")
    return {**{name: getattr(one, name) for name in copied}, "given": one.label, "came": came.value}


def told(row: LabelAudit) -> dict[str, Any]:
    outcome = getattr(row, "outcome", None)
    figures = outcome.figures if outcome else {}
    return {
        "id": row.pk,
        "dataset": row.dataset_id,
        "fingerprint": row.dataset.fingerprint,
        "version": row.version,
        "made_by": row.made_by.get_username() if row.made_by else row.actor,
        "made_at": row.made_at,
        "done": outcome is not None,
        "error": outcome.error if outcome else "",
        "labels": figures.get("labels", 0),
        "flagged": figures.get("flagged", 0),
    }
