"""What waits for a second person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.api.pagination import RecentFirst
from moderation.models import Scope
from moderation.tasks import nudge_recheck
from review import holding
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import Label
from review.judgements import LONGEST
from review.models import Effect, EffectState, Verdict

GONE = OpenApiResponse(description="Somebody answered it meanwhile, or it was taken back. Nothing was changed.")


class HeldAnswer(serializers.Serializer[object]):
    decision_id = serializers.UUIDField()
    submission_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    labels = Label(many=True)
    rationale = serializers.CharField(allow_blank=True)
    decided_by = serializers.CharField()
    decided_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=EffectState.choices)
    words = serializers.CharField(help_text="Why it is held, or why it was sent back.")


class Words(serializers.Serializer[object]):
    words = serializers.CharField(max_length=LONGEST, help_text="Why it is sent back; shown to whoever decides next.")


class OldestDecision(RecentFirst):
    ordering = "decision_id"


class Held(GenericAPIView[Effect]):
    scopes = {"GET": Scope.REVIEW_ESCALATED}
    pagination_class = OldestDecision
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Effect]:
        return holding.for_person(person_of(self.request)).select_related("decision__reviewer")

    @extend_schema(
        operation_id="held_list", summary="Decisions that wait for you, oldest first", responses=HeldAnswer(many=True)
    )
    def get(self, _request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([present(effect) for effect in page])


class Approval(APIView):
    scopes = {"POST": Scope.REVIEW_ESCALATED}

    @extend_schema(
        operation_id="held_approve",
        summary="Agree: the decision takes effect",
        request=None,
        responses={200: HeldAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        with problems():
            effect = holding.approve(pk, person_of(request))
        if effect.bank_id:
            nudge_recheck()
        return answered(effect)


class Refusal(APIView):
    scopes = {"POST": Scope.REVIEW_ESCALATED}

    @extend_schema(
        operation_id="held_refuse",
        summary="Send back: somebody else decides",
        request=Words,
        responses={200: HeldAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        words = fields_of(request, ["words"]).get("words", "")
        with problems():
            effect = holding.send_back(pk, person_of(request), words=words)
        return answered(effect)


def answered(effect: Effect) -> Response:
    effect.refresh_from_db(fields=["state", "words"])
    return Response(present(effect))


def present(effect: Effect) -> dict[str, Any]:
    decision = effect.decision
    return {
        "decision_id": decision.pk,
        "submission_id": effect.submission_id,
        "verdict": decision.verdict,
        "labels": decision.labels,
        "rationale": decision.rationale,
        "decided_by": decision.reviewer.get_username(),
        "decided_at": decision.decided_at,
        "state": effect.state,
        "words": effect.words,
    }
