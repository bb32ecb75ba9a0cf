"""Sending submissions and reading them back."""

from __future__ import annotations

import re
import time
from typing import Final, cast
from uuid import UUID

from django.db import connection
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import tasks
from moderation.api import intake
from moderation.api.actors import actor_of, caller_of, client_of
from moderation.api.answers import present, with_evidence
from moderation.api.authentication import KeyHolder
from moderation.api.filters import SubmissionFilter
from moderation.api.pagination import RecentFirst
from moderation.api.shapes import SubmissionAnswer, SubmissionForm, SubmissionJSON
from moderation.models import SETTLED, Scope, Status, Submission
from moderation.models.submissions import SubmissionQuerySet

WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)
MAX_WAIT: Final = 10  # seconds
FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 0.4

PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description=f"`wait=N`: hold the answer until the submission is settled, at most N (up to {MAX_WAIT}) seconds.",
)


def visible_to(request: Request) -> SubmissionQuerySet:
    """A key sees its own client's submissions, a person with the scope sees all."""
    who = caller_of(request)
    if isinstance(who, KeyHolder):
        return Submission.objects.of(who.client)
    return Submission.objects.all()


class Submissions(GenericAPIView[Submission]):
    scopes = {"GET": Scope.SUBMISSIONS_READ, "POST": Scope.SUBMISSIONS_WRITE}
    pagination_class = RecentFirst
    filterset_class = SubmissionFilter

    def get_queryset(self) -> SubmissionQuerySet:
        return with_evidence(visible_to(self.request))

    @extend_schema(
        operation_id="submissions_create",
        summary="Send one image",
        parameters=[PREFER],
        request={"multipart/form-data": SubmissionForm, "application/json": SubmissionJSON},
        responses={
            200: OpenApiResponse(SubmissionAnswer, "Settled while we waited, or sent before and known already."),
            202: OpenApiResponse(SubmissionAnswer, "Taken in; triage follows."),
        },
    )
    def post(self, request: Request) -> Response:
        client = client_of(request)
        image, fields = intake.read(request)
        intake.check_room()
        seconds = wanted_wait(request)
        accepted = intake.take(client, image, fields, actor=actor_of(request), awaited=bool(seconds))
        submission = accepted.submission
        headers = {"Location": reverse("api:submission", args=[submission.pk])}
        if accepted.created:
            tasks.nudge_triage()
        if seconds:
            headers["Preference-Applied"] = f"wait={seconds}"
            await_triage(submission, seconds=seconds)
        if seconds or not accepted.created:
            submission = with_evidence(Submission.objects.all()).get(pk=submission.pk)
        done = submission.status in SETTLED or not accepted.created
        return Response(present(submission), status=200 if done else 202, headers=headers)

    @extend_schema(
        operation_id="submissions_list", summary="List submissions, newest first", responses=SubmissionAnswer(many=True)
    )
    def get(self, _request: Request) -> Response:
        page = cast("list[Submission]", self.paginate_queryset(self.filter_queryset(self.get_queryset())))
        return self.get_paginated_response([present(submission) for submission in page])


class OneSubmission(GenericAPIView[Submission]):
    scopes = {"GET": Scope.SUBMISSIONS_READ}

    @extend_schema(operation_id="submissions_retrieve", summary="Read one submission", responses=SubmissionAnswer)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(present(get_object_or_404(with_evidence(visible_to(request)), pk=pk)))


def wanted_wait(request: Request) -> int:
    """Seconds that `Prefer: wait=N` (RFC 7240) asks for, at most MAX_WAIT; 0 when it asks for nothing we understand."""
    found = WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), MAX_WAIT) if found else 0


def await_triage(submission: Submission, *, seconds: float) -> None:
    """Returns when triage has spoken or the time is up, whichever is first."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while Submission.objects.filter(pk=submission.pk, status=Status.RECEIVED).exists():
        left = deadline - time.monotonic()
        if left <= 0:
            return
        if not connection.in_atomic_block:
            connection.close()  # back to the pool: those who wait must not keep those who work from the database
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
