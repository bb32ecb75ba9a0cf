"""Data sets that are made: all files at once, kept for good, made again."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.actors import Actor
from moderation.models import Scope
from review import downloads
from review.api.doors import fields_of, person_of, problems
from review.api.exports import ExportAnswer, found, told
from review.exports import asking, keeping
from review.tasks import nudge_exports


class KeepOrder(serializers.Serializer[object]):
    keep = serializers.BooleanField()


class ExportArchive(APIView):
    scopes = {"GET": Scope.EXPORTS}

    @extend_schema(
        operation_id="exports_archive",
        summary="All files of a data set, as one tar",
        responses={(200, "application/x-tar"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        person = person_of(request)
        with problems():
            return downloads.archived(found(pk), actor=Actor.person(person))


class ExportAgain(APIView):
    scopes = {"POST": Scope.EXPORTS}

    @extend_schema(
        operation_id="exports_again",
        summary="Have a data set made again, over what was decided up to the same moment",
        request=None,
        responses={202: ExportAnswer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        person, row = person_of(request), found(pk)
        with problems(), transaction.atomic():
            new = asking.ask_again(row.pk, person)
            nudge_exports()
        return Response(told(new), status=202)


class ExportKeep(APIView):
    scopes = {"POST": Scope.EXPORTS}

    @extend_schema(
        operation_id="exports_keep",
        summary="Keep the files of a data set, however old, or let them go in their time",
        request=KeepOrder,
        responses={200: ExportAnswer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        person, row = person_of(request), found(pk)
        order = KeepOrder(data=fields_of(request, ("keep",)))
        order.is_valid(raise_exception=True)
        with problems():
            (keeping.pin if order.validated_data["keep"] else keeping.unpin)(row.pk, person)
        return Response(told(found(pk)))
