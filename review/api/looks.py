"""Asking to see a clear image, and saying for how long it was in view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.problems import Problem, invalid
from moderation.models import Scope, Submission
from review import looks
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import LookAnswer, LookOrder, OutsideLookOrder
from review.images import NotAllowed
from review.models import Look
from review.wellness.limits import standing_of

LOOK_ID = OpenApiParameter("Look-Id", OpenApiTypes.UUID, OpenApiParameter.HEADER, response=[201])
ENOUGH = OpenApiResponse(description="The exposure budget of this shift is used up. Nothing was shown.")
JPEG = {(201, "image/jpeg"): OpenApiTypes.BINARY, 409: ENOUGH}


class ClaimLooks(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_look",
        summary="See the clear image of a claim; it goes on record",
        parameters=[LOOK_ID],
        request=None,
        responses=JPEG,
    )
    def post(self, request: Request, pk: UUID) -> HttpResponse:
        with refusals():
            return shown(looks.reveal_claimed(pk, person_of(request)))


class Looks(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="looks_begin",
        summary="See a clear image outside the desk; it goes on record",
        parameters=[LOOK_ID],
        request=OutsideLookOrder,
        responses=JPEG,
    )
    def post(self, request: Request) -> HttpResponse:
        person = person_of(request)
        try:
            submission = UUID(str(fields_of(request, ["submission"]).get("submission")))
        except ValueError as error:
            raise invalid([{"pointer": "#/submission", "detail": _("The id of a submission.")}]) from error
        with refusals():
            return shown(looks.reveal(submission, person))


class LookLength(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="looks_grow",
        summary="Say for how long it was in view so far",
        request=LookOrder,
        responses={200: LookAnswer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        seconds = fields_of(request, ["seconds"]).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isfinite(seconds) or seconds < 0:
            raise invalid([{"pointer": "#/seconds", "detail": _("A number of seconds, 0 or more.")}])
        with refusals():
            person = person_of(request)
            counted = looks.grow(pk, person, float(min(seconds, looks.LONGEST)))
        share = standing_of(person).share
        return Response({"id": pk, "seconds": counted, "budget_share": round(share, 4)})


@contextmanager
def refusals() -> Iterator[None]:
    with problems():
        try:
            yield
        except Look.DoesNotExist as error:
            raise Problem(404, _("No such look"), _("You asked for no look with this id.")) from error
        except (Submission.DoesNotExist, FileNotFoundError) as error:
            raise Problem(404, _("No such image"), _("There is no such image.")) from error
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error


def shown(revealed: looks.Revealed) -> HttpResponse:
    answer = HttpResponse(revealed.jpeg, status=201, content_type="image/jpeg")
    answer["Look-Id"] = str(revealed.look)
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer
