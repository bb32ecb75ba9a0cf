"""Data sets that are made: all files at once, kept for good, made again."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.actors import Actor
from moderation.api.problems import Problem
from moderation.models import Scope
from review import downloads
from review.api.doors import fields_of, person_of
from review.api.exports import ExportAnswer, found, told, withheld
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
        with withheld():
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
        try:
            with transaction.atomic():
                new = asking.ask_again(row.pk, person)
                nudge_exports()
        except asking.TooMany as error:
            raise Problem(409, _("Too many at once"), str(error), code="too_many_exports") from error
        except asking.NotOver as error:
            raise Problem(409, _("It is not over yet"), str(error), code="not_over") from error
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
        try:
            (keeping.pin if order.validated_data["keep"] else keeping.unpin)(row.pk, person)
        except keeping.NotDone as error:
            raise Problem(409, _("There are no files"), str(error), code="no_files") from error
        return Response(told(found(pk)))
