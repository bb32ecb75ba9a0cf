"""What happened to a submission, from the audit log."""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import audit
from moderation.api.actors import caller_of
from moderation.api.authentication import KeyHolder
from moderation.api.pagination import OldestFirst
from moderation.api.shapes import EventAnswer
from moderation.api.submissions import visible_to
from moderation.models import AuditEvent, Scope

# What a client may know of an event. Who decided, and what colleagues noted, stays in the house: moderators get
# threatened.
TOLD: Final = frozenset(
    {"from", "to", "reason", "plan", "category", "external_id", "sha256", "media_type", "byte_size", "territories"}
)


class SubmissionHistory(GenericAPIView[AuditEvent]):
    scopes = {"GET": Scope.SUBMISSIONS_READ}
    pagination_class = OldestFirst
    filter_backends = ()

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return AuditEvent.objects.filter(subject=audit.submission(self.kwargs.get("pk")))

    @extend_schema(
        operation_id="submissions_history",
        summary="Read what happened to it, oldest first",
        responses=EventAnswer(many=True),
    )
    def get(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(visible_to(request).only("pk"), pk=pk)
        page = cast("list[AuditEvent]", self.paginate_queryset(self.get_queryset()))
        outside = isinstance(caller_of(request), KeyHolder)
        return self.get_paginated_response([told(event) if outside else whole(event) for event in page])


def told(event: AuditEvent) -> dict[str, Any]:
    """As a client hears it: the kind of actor, not the person."""
    kind, _colon, _id = event.actor.partition(":")
    data = {name: value for name, value in event.data.items() if name in TOLD}
    return {"id": str(event.pk), "at": event.at, "actor": kind, "action": event.action, "data": data}


def whole(event: AuditEvent) -> dict[str, Any]:
    return {"id": str(event.pk), "at": event.at, "actor": event.actor_label, "action": event.action, "data": event.data}
