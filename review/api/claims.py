"""What a person does with a claim they hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.models import ReviewRequest, Scope
from moderation.tasks import nudge_recheck
from review import handovers, holding, queue
from review.api.doors import fields_of, person_of, problems
from review.api.shapes import (
    DecisionAnswer,
    DecisionOrder,
    ExtensionAnswer,
    HandoverAnswer,
    NoteOrder,
    SendOrder,
    TakeoverAnswer,
    UndoAnswer,
)
from review.decisions import decide
from review.effects import undo
from review.judgements import Judgement
from review.models import Decision

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Send the same key with the same decision again, and get the same answer.",
)
SENT_AS = {"queue": "to", "note": "note"}
DECIDED = tuple(DecisionOrder().fields)
GONE = OpenApiResponse(description="The claim is another's, has ended, or its request is settled. Nothing was changed.")


class Decisions(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_decide",
        summary="Decide",
        parameters=[IDEMPOTENCY_KEY],
        request=DecisionOrder,
        responses={201: DecisionAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        person = person_of(request)
        said = {"verdict": None, **fields_of(request, DECIDED)}
        with problems():
            decision = decide(pk, person, idempotency_key=request.headers.get("Idempotency-Key", ""), **said)
        if said.get("bank"):
            nudge_recheck()
        return Response(present(decision), status=status.HTTP_201_CREATED)


class Extension(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_extend",
        summary="Keep the lease alive",
        request=None,
        responses={200: ExtensionAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        with problems():
            expires_at = queue.extend(pk, person_of(request))
        return Response({"claim_id": pk, "expires_at": expires_at})


class Release(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_release", summary="Give a request back", request=None, responses={204: None, 409: GONE}
    )
    def post(self, request: Request, pk: UUID) -> Response:
        with problems():
            queue.release(pk, person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Undo(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="decisions_undo",
        summary="Take a decision back",
        request=None,
        responses={200: UndoAnswer, 409: OpenApiResponse(description="It is in effect already. Nothing was changed.")},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        with problems():
            claim = undo(pk, person_of(request))
        return Response(
            {
                "decision_id": pk,
                "claim_id": claim.pk if claim else None,
                "expires_at": claim.expires_at if claim else None,
            }
        )


class Sending(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_send",
        summary="Send a request to another queue",
        request=SendOrder,
        responses={200: HandoverAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        said = {"to": None, **{SENT_AS[name]: value for name, value in fields_of(request, SENT_AS).items()}}
        with problems():
            sent = handovers.send(pk, person_of(request), **said)
        return Response(handed_on(pk, sent))


class SecondOpinion(APIView):
    scopes = {"POST": Scope.REVIEW}

    @extend_schema(
        operation_id="claims_second_opinion",
        summary="Have one more person decide, and not you",
        request=NoteOrder,
        responses={200: HandoverAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        with problems():
            asked = handovers.ask_second_opinion(pk, person_of(request), **fields_of(request, ["note"]))
        return Response(handed_on(pk, asked))


class Takeover(APIView):
    scopes = {"POST": Scope.REVIEW_LEAD}

    @extend_schema(
        operation_id="claims_takeover",
        summary="Take over what another person holds",
        request=None,
        responses={201: TakeoverAnswer, 409: GONE},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        with problems():
            claim = handovers.take_over(pk, person_of(request))
        answer = {
            "claim_id": claim.pk,
            "request_id": claim.request_id,
            "queue": claim.request.queue,
            "expires_at": claim.expires_at,
        }
        return Response(answer, status=status.HTTP_201_CREATED)


def handed_on(claim_id: UUID, request: ReviewRequest) -> dict[str, Any]:
    return {"claim_id": claim_id, "request_id": request.pk, "queue": request.queue, "needed": request.needed}


def present(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.pk,
        "claim_id": decision.claim_id,
        "submission_id": decision.submission_id,
        "verdict": decision.verdict,
        "labels": decision.labels,
        "rationale": decision.rationale,
        "note": decision.note,
        "seen": decision.seen,
        "policy_version": str(decision.policy),
        "decided_at": decision.decided_at,
        "undo_until": decision.effect.due_at,
        "held": holding.why(Judgement.of_row(decision)),
    }
