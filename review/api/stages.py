"""A version's stage and gates, and moving it on or back, for programs in a person's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifiers.models import ClassifierVersion
from moderation import adoption, policies, proposals, rollouts, shadows
from moderation.actors import Actor
from moderation.admission import GateClosed, State
from moderation.api.problems import Problem, invalid
from moderation.models import Proposal, Scope, TriagePlan, User
from moderation.plans import PlanError
from moderation.stages import Stage, Standing
from review.api.doors import person_of
from review.promotion import gates, moving

BACK = "previous"


class AdoptionNote(serializers.Serializer[object]):
    note = serializers.CharField(max_length=2000, allow_blank=True, default="", help_text="Why; kept with the plan.")


class PastJSON(AdoptionNote):
    past_gates = serializers.CharField(
        max_length=2000,
        allow_blank=True,
        default="",
        help_text="Why it is promoted although gates are closed; a policy lead must approve, and it is on record.",
    )


class MoveJSON(PastJSON):
    to = serializers.ChoiceField(
        choices=["candidate", "shadow", "canary", "in_service", BACK],
        help_text="candidate: out of the shadow, or the canary dropped; previous: what was in service before it.",
    )
    share = serializers.FloatField(
        default=moving.CANARY_SHARE, help_text="Of a canary: the share of new images, between 0 and 1."
    )


class GateAnswer(serializers.Serializer[object]):
    name = serializers.CharField()
    words = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    passed = serializers.BooleanField(help_text="Neither closed nor untold: what cannot be told does not pass.")
    figure = serializers.CharField()
    limit = serializers.CharField()
    why = serializers.CharField()


class StageAnswer(serializers.Serializer[object]):
    version = serializers.CharField()
    stage = serializers.ChoiceField(choices=Stage.choices)
    plan = serializers.IntegerField(allow_null=True, help_text="The plan in force.")
    gates = GateAnswer(many=True)


class MoveAnswer(StageAnswer):
    proposal = serializers.UUIDField(allow_null=True, help_text="What waits for a second person, where one must agree.")
    published = serializers.IntegerField(allow_null=True, help_text="The plan that came of it.")


REFUSED = {
    200: MoveAnswer,
    202: OpenApiResponse(MoveAnswer, description="A second person must approve it."),
    409: OpenApiResponse(description="A gate is closed, or it cannot go there from where it stands."),
}


class OneStage(APIView):
    scopes = {"GET": Scope.ML, "POST": Scope.ML}

    @extend_schema(
        operation_id="classifiers_stage", summary="Where a version stands, and its gates", responses=StageAnswer
    )
    def get(self, _request: Request, pk: UUID) -> Response:
        return Response(told(version_of(pk)))

    @extend_schema(
        operation_id="classifiers_move", summary="Move a version to another stage", request=MoveJSON, responses=REFUSED
    )
    def post(self, request: Request, pk: UUID) -> Response:
        form = MoveJSON(data=request.data)
        form.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(form.validated_data)
        return moved(version_of(pk), person_of(request), **said)


class Adoption(APIView):
    scopes = {"POST": Scope.ML}

    @extend_schema(
        operation_id="classifiers_adopt", summary="Put a version in service", request=PastJSON, responses=REFUSED
    )
    def post(self, request: Request, pk: UUID) -> Response:
        form = PastJSON(data=request.data)
        form.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(form.validated_data)
        return moved(version_of(pk), person_of(request), to=Stage.IN_SERVICE, **said)


def version_of(pk: UUID) -> ClassifierVersion:
    return get_object_or_404(ClassifierVersion, pk=pk)


def moved(
    version: ClassifierVersion, person: User, *, to: str, note: str, past_gates: str, share: float = 0.0
) -> Response:
    with problems():
        came = step(version, person, to, note=note, share=share, past=past_gates)
    proposal = came if isinstance(came, Proposal) else None
    published = proposal.published if proposal else came.number if isinstance(came, TriagePlan) else None
    waits = proposal is not None and published is None
    said = {"proposal": proposal.pk if proposal and waits else None, "published": published}
    return Response({**told(version), **said}, status=202 if waits else 200)


def step(
    version: ClassifierVersion, person: User, to: str, *, note: str, share: float, past: str
) -> Proposal | TriagePlan | None:
    actor = Actor.person(person)
    standing = Standing.now()
    canary = standing.rollout if standing.stage_of(version) == Stage.CANARY else None
    match to:
        case Stage.SHADOW:
            return shadows.start(version.ref, actor=actor, person=person, note=note)
        case Stage.CANARY:
            return moving.to_canary(version, person, share=share, note=note, past_gates=past)
        case Stage.IN_SERVICE if canary is not None:
            return moving.end_canary(canary.pk, person, adopt=True, why=note)
        case Stage.IN_SERVICE:
            return moving.to_service(version, person, note=note, past_gates=past)
        case Stage.CANDIDATE if canary is not None:
            return moving.end_canary(canary.pk, person, adopt=False, why=note)
        case Stage.CANDIDATE:
            return shadows.end(version.ref, actor=actor, person=person, note=note)
        case _:
            return moving.back(version, person, note=note)


def told(version: ClassifierVersion) -> dict[str, Any]:
    standing = Standing.now()
    return {
        "version": version.ref,
        "stage": standing.stage_of(version),
        "plan": standing.plan.number if standing.plan else None,
        "gates": [one.as_json() for one in gates.open_for(version, standing.plan)],
    }


@contextmanager
def problems() -> Iterator[None]:
    """Inside, what the rules refuse becomes the answer."""
    try:
        yield
    except GateClosed as error:
        raise Problem(409, _("A gate is closed"), str(error), code="gate_closed") from error
    except (adoption.AlreadyPinned, shadows.AlreadyInShadow, moving.CannotMove, rollouts.CannotRollOut) as error:
        raise Problem(409, _("Nothing was changed"), str(error), code="cannot_move") from error
    except policies.Outdated as error:
        raise Problem(409, _("Nothing was changed"), str(error), code="outdated") from error
    except (PlanError, proposals.UnfitProposal) as error:
        raise invalid([{"pointer": "#", "detail": str(error)}]) from error
