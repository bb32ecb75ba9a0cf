"""Triage plans by API: versions and what sets them apart, drafts on their way to a second person, and going back."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import policies, proposals, rollouts, simulation
from moderation.actors import Actor
from moderation.admission import GateClosed
from moderation.api.actors import caller_of
from moderation.api.pagination import RecentFirst
from moderation.api.plan_shapes import (
    Changes,
    DraftAnswer,
    DraftJSON,
    NoteJSON,
    PlanAnswer,
    RevisionJSON,
    draft_told,
    plan_told,
)
from moderation.api.problems import Problem
from moderation.models import Proposal, ProposalKind, Scope, TriagePlan, User
from moderation.plans import PlanError

ACTS = ("ask", "publish", "send-back", "withdraw")


class Plans(GenericAPIView[TriagePlan]):
    scopes = {"GET": Scope.POLICY_READ}
    queryset = TriagePlan.objects.select_related("published_by", "rollout")
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(operation_id="plans_list", summary="List plans, newest first", responses=PlanAnswer(many=True))
    def get(self, _request: Request) -> Response:
        page = cast("list[TriagePlan]", self.paginate_queryset(self.get_queryset()))
        now = TriagePlan.objects.in_force()
        return self.get_paginated_response([plan_told(row, now) for row in page])


class OnePlan(GenericAPIView[TriagePlan]):
    scopes = {"GET": Scope.POLICY_READ}

    @extend_schema(operation_id="plans_retrieve", summary="Read one plan", responses=PlanAnswer)
    def get(self, _request: Request, number: int) -> Response:
        return Response(plan_told(plan_of(number), TriagePlan.objects.in_force()))


class PlanDiff(GenericAPIView[TriagePlan]):
    scopes = {"GET": Scope.POLICY_READ}

    @extend_schema(
        operation_id="plans_diff",
        summary="What sets a plan apart from another, in sentences",
        parameters=[OpenApiParameter("from", int, description="The other's number; else the one in force.")],
        responses=Changes,
    )
    def get(self, request: Request, number: int) -> Response:
        other = request.query_params.get("from", "")
        if other and not (other.isascii() and other.isdigit() and len(other) < 10):
            raise Problem(422, _("The request is not valid"), _("“from” is the number of a plan."), code="invalid")
        before = plan_of(int(other)) if other else TriagePlan.objects.in_force()
        after = plan_of(number)
        old = policies.parsed(before) if before else None
        words = simulation.differences(old, policies.parsed(after))
        return Response({"from": before.number if before else None, "to": after.number, "changes": words})


class PlanRollback(GenericAPIView[TriagePlan]):
    scopes = {"POST": Scope.POLICY}

    @extend_schema(
        operation_id="plans_rollback",
        summary="Publish an earlier plan again, as a new version",
        request=NoteJSON,
        responses={201: PlanAnswer},
    )
    def post(self, request: Request, number: int) -> Response:
        person, row = person_of(request), plan_of(number)
        note = read(NoteJSON, request)["note"]
        try:
            back = policies.roll_back(row.number, actor=Actor.person(person), person=person, note=note)
        except GateClosed as error:
            raise stopped(error) from error
        except PlanError as error:
            raise unfit(error) from error
        return Response(plan_told(back, back), status=201)


class PlanDrafts(GenericAPIView[Proposal]):
    scopes = {"GET": Scope.POLICY_READ, "POST": Scope.POLICY}
    queryset = Proposal.objects.filter(kind=ProposalKind.PLAN).select_related("made_by", "changed_by", "answered_by")
    pagination_class = RecentFirst
    filter_backends = ()

    @extend_schema(operation_id="plan_drafts_list", summary="List drafts of plans", responses=DraftAnswer(many=True))
    def get(self, _request: Request) -> Response:
        page = cast("list[Proposal]", self.paginate_queryset(self.get_queryset()))
        return self.get_paginated_response([draft_told(row) for row in page])

    @extend_schema(
        operation_id="plan_drafts_create", summary="Draft a plan", request=DraftJSON, responses={201: DraftAnswer}
    )
    def post(self, request: Request) -> Response:
        said = read(DraftJSON, request)
        said.pop("revision")
        body, person = said.pop("body"), person_of(request)
        row = answering(lambda: proposals.draft(person, ProposalKind.PLAN, "", body, **said))
        return Response(draft_told(row), status=201)


class OnePlanDraft(GenericAPIView[Proposal]):
    scopes = {"GET": Scope.POLICY_READ, "PUT": Scope.POLICY}

    @extend_schema(operation_id="plan_drafts_retrieve", summary="Read one draft of a plan", responses=DraftAnswer)
    def get(self, _request: Request, pk: UUID) -> Response:
        return Response(draft_told(draft_of(pk)))

    @extend_schema(
        operation_id="plan_drafts_update",
        summary="Write it anew, over the revision you read",
        request=DraftJSON,
        responses=DraftAnswer,
    )
    def put(self, request: Request, pk: UUID) -> Response:
        said, person = read(DraftJSON, request), person_of(request)
        body = said.pop("body")
        draft_of(pk)
        return Response(draft_told(answering(lambda: proposals.revise(pk, person, body, **said))))


class PlanDraftAct(GenericAPIView[Proposal]):
    """Ask, publish (which takes a second person), send back, withdraw."""

    scopes = {"POST": Scope.POLICY}

    @extend_schema(
        operation_id="plan_drafts_act",
        summary="Ask for approval, approve and publish, send back, or withdraw",
        request=RevisionJSON,
        responses=DraftAnswer,
    )
    def post(self, request: Request, pk: UUID, act: str) -> Response:
        said, person = read(RevisionJSON, request), person_of(request)
        draft_of(pk)
        revision, text = said["revision"], said["text"]
        doing = {
            "ask": lambda: proposals.ask(pk, person, revision=revision),
            "publish": lambda: proposals.approve(pk, person, revision=revision, text=text),
            "send-back": lambda: proposals.send_back(pk, person, revision=revision, text=text),
            "withdraw": lambda: proposals.withdraw(pk, person, revision=revision),
        }
        return Response(draft_told(answering(doing[act])))


def plan_of(number: int) -> TriagePlan:
    return get_object_or_404(TriagePlan.objects.select_related("published_by", "rollout"), number=number)


def draft_of(pk: UUID) -> Proposal:
    rows = Proposal.objects.filter(kind=ProposalKind.PLAN).select_related("made_by", "changed_by", "answered_by")
    return get_object_or_404(rows, pk=pk)


def person_of(request: Request) -> User:
    """No key holds the scope."""
    who = caller_of(request)
    assert isinstance(who, User)
    return who


def read(shape: Any, request: Request) -> dict[str, Any]:
    form = shape(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def answering(act: Any) -> Proposal:
    """What it returns; what it raises, as problems."""
    try:
        return cast("Proposal", act())
    except GateClosed as error:
        raise stopped(error) from error
    except (PlanError, proposals.UnfitProposal) as error:
        raise unfit(error) from error
    except (proposals.NotOpen, policies.Outdated, rollouts.CannotRollOut) as error:
        raise Problem(409, _("Nothing was changed"), str(error), code="outdated") from error
    except proposals.OwnWork as error:
        raise Problem(403, _("Forbidden"), str(error), code="own_work") from error


def stopped(error: GateClosed) -> Problem:
    return Problem(409, _("A gate is closed"), str(error), code="gate_closed")


def unfit(error: Exception) -> Problem:
    return Problem(422, _("The plan cannot be followed"), str(error), code="invalid_plan")
