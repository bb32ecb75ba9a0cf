"""Data sets: asked for, watched, called off, and fetched file by file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.actors import Actor
from moderation.api.problems import Problem, invalid
from moderation.models import Scope
from review import datasets, downloads
from review.api.doors import fields_of, person_of, problems
from review.exports import asking, keeping
from review.feedback import default_backbone
from review.labels.queries import Query, UnfitQuery
from review.models import Export, ExportFormat, ExportKind, ExportState
from review.tasks import nudge_exports


class ExportOrder(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=ExportKind.choices, default=ExportKind.LABELS)
    format = serializers.ChoiceField(choices=ExportFormat.choices, default=ExportFormat.PARQUET)
    query: serializers.Field[Any, Any, Any, Any] = serializers.DictField(
        required=False,
        help_text=(
            "since, until, categories[], sources[] (human, consensus, gold), generators[], clients[], reasons[], "
            "sampling (all, balanced, active), splitting (cluster, time), older (keep, exclude, remap) and remap "
            "{“HATE v1”: category}, images (working, original), demand, soft, gold, backbone. `demand`, true unless "
            "you say otherwise, refuses what has no licence or no basis of consent."
        ),
    )


class FileAnswer(serializers.Serializer[object]):
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField(allow_blank=True, help_text="Empty for manifest.json, which holds all others.")
    url = serializers.CharField(help_text="A path on this host.")


class ExportAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ExportKind.choices)
    format = serializers.ChoiceField(choices=ExportFormat.choices)
    query: serializers.Field[Any, Any, Any, Any] = serializers.DictField()
    state = serializers.ChoiceField(choices=ExportState.choices)
    progress = serializers.IntegerField(help_text="%.")
    rows = serializers.IntegerField(help_text="Labels so far.")
    refused: serializers.Field[Any, Any, Any, Any] = serializers.DictField(help_text="{reason: images} so far.")
    error = serializers.CharField(allow_blank=True)
    fingerprint = serializers.CharField(allow_null=True, help_text="The data set's name, once it is done.")
    asked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    kept = serializers.BooleanField(help_text="Its files stay, however old.")
    files_until = serializers.DateTimeField(
        allow_null=True, help_text="When its files will go, unless somebody uses them meanwhile; null: not in sight."
    )
    files_removed_at = serializers.DateTimeField(allow_null=True)
    files = FileAnswer(many=True)
    archive = serializers.CharField(allow_null=True, help_text="All files in one tar: a path on this host.")


class Exports(APIView):
    scopes = {"POST": Scope.EXPORTS}

    @extend_schema(
        operation_id="exports_create",
        summary="Have a data set made of what people decided",
        request=ExportOrder,
        responses={202: ExportAnswer},
    )
    def post(self, request: Request) -> Response:
        person = person_of(request)
        order = ExportOrder(data=fields_of(request, ("kind", "format", "query")))
        order.is_valid(raise_exception=True)
        said = {"demand": True, "backbone": default_backbone(), **order.validated_data.get("query", {})}
        try:
            query = Query.read(said)
        except UnfitQuery as error:
            raise invalid([{"pointer": f"#/query/{error.pointer}", "detail": str(error)}]) from error
        with problems(), transaction.atomic():
            kind, format_ = order.validated_data["kind"], order.validated_data["format"]
            row = asking.ask(person, query=query, kind=kind, format=format_)
            nudge_exports()
        return Response(told(row), status=202)


class ExportProgress(APIView):
    scopes = {"GET": Scope.EXPORTS}

    @extend_schema(operation_id="exports_read", summary="How far a data set is, and its files", responses=ExportAnswer)
    def get(self, request: Request, pk: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        return Response(told(found(pk)))


class ExportCancel(APIView):
    scopes = {"POST": Scope.EXPORTS}

    @extend_schema(
        operation_id="exports_cancel", summary="Call a data set off", request=None, responses={200: ExportAnswer}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        row = found(pk)
        with problems():
            asking.cancel(row.pk, person_of(request))
        return Response(told(found(pk)))


class ExportFile(APIView):
    scopes = {"GET": Scope.EXPORTS}

    @extend_schema(
        operation_id="exports_file",
        summary="One file of a data set",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, pk: UUID, name: str) -> FileResponse:
        person = person_of(request)
        with problems():
            return downloads.served(found(pk), name, actor=Actor.person(person))


def found(pk: UUID) -> Export:
    row = Export.objects.select_related("dataset").filter(pk=pk).first()
    if row is None:
        raise Problem(404, _("No such export"), _("There is no export with this id."))
    return row


def told(row: Export) -> dict[str, Any]:
    try:
        files = datasets.listed(datasets.folder_of_export(row)) if row.state == ExportState.DONE else []
    except datasets.FilesGone:
        files = []
    return {
        "id": row.pk,
        "kind": row.kind,
        "format": row.format,
        "query": row.query,
        "state": row.state,
        "progress": row.percent,
        "rows": row.rows,
        "refused": row.refused,
        "error": row.error,
        "fingerprint": row.dataset.fingerprint if row.dataset else None,
        "asked_at": row.asked_at,
        "ended_at": row.ended_at,
        "kept": row.pinned_by_id is not None,
        "files_until": keeping.due(row),
        "files_removed_at": row.files_removed_at,
        "archive": f"/api/v1/exports/{row.pk}/archive" if files else None,
        "files": [{**asdict(one), "url": f"/api/v1/exports/{row.pk}/files/{one.name}"} for one in files],
    }
