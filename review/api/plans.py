"""What a plan would do to the images that are stored."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation import policies
from moderation.api.problems import Problem, invalid
from moderation.models import Proposal, ProposalKind, Scope, TriagePlan
from moderation.plans import Plan, PlanError
from moderation.simulation import comparison
from moderation.simulation.comparison import Comparison
from moderation.simulation.history import MOST
from review import backtest, yardstick
from review.api.doors import fields_of
from review.models import Dataset
from review.yardstick import SPLITS, Measured, UnfitYardstick

LAST: Final = 100_000


class SimulationOrder(serializers.Serializer[object]):
    plan = serializers.DictField(
        required=False, help_text="With “draft” in the address: the plan's body. Else nothing: the plan is stored."
    )
    last = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, default=LAST, help_text="How many of the newest triaged images."
    )
    dataset = serializers.CharField(
        required=False, help_text="In place of the newest images those of a labelled data set: its fingerprint or id."
    )
    split = serializers.ChoiceField(
        required=False, choices=SPLITS, help_text="Only this part of the data set. Judge learnt heads by “test”."
    )


class PlanSimulation(APIView):
    scopes = {"POST": Scope.POLICY_READ}

    @extend_schema(
        operation_id="plans_simulate",
        summary="What a plan would do to the images that are stored, or of a data set, against the plan in force",
        request=SimulationOrder,
        responses={200: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, which: str) -> Response:
        """`which`: a plan's number, a proposal's id, or “draft” with the plan in the body. Nothing is stored.

        `people` holds errors by what people decided of the newest images; `labelled`, in its place, by a data set.
        """
        said = fields_of(request, ("plan", "last", "dataset", "split"))
        last = said.get("last", LAST)
        if not isinstance(last, int) or isinstance(last, bool) or not 1 <= last <= MOST:
            raise invalid([{"pointer": "#/last", "detail": _("A whole number from 1 to %(most)d.") % {"most": MOST}}])
        plan = wanted(which, said.get("plan"))
        in_force = TriagePlan.objects.in_force()
        current = policies.parsed(in_force) if in_force else None
        more: dict[str, Any]
        if "dataset" in said:
            found, measured = by_dataset(said["dataset"], said.get("split", ""), current, plan)
            more = {"labelled": yardstick.as_json(measured)}
        else:
            found = comparison.compare(current, plan, last=last)
            more = {"people": backtest.as_json(backtest.backtest(found))}
        against = in_force.number if in_force else None
        return Response({"plan": which, "against": against, **comparison.as_json(found), **more})


def by_dataset(name: Any, split: Any, current: Plan | None, plan: Plan) -> tuple[Comparison, Measured]:
    """Raises Problem 422."""
    if split and split not in SPLITS:
        raise invalid([{"pointer": "#/split", "detail": _("One of %(names)s.") % {"names": ", ".join(SPLITS)}}])
    try:
        return yardstick.measured(yardstick.named(str(name)), current, plan, split=split)
    except Dataset.DoesNotExist as error:
        detail = _("There is no data set with this fingerprint or id.")
        raise invalid([{"pointer": "#/dataset", "detail": detail}]) from error
    except UnfitYardstick as error:
        raise invalid([{"pointer": "#/dataset", "detail": str(error)}]) from error


def wanted(which: str, body: Any) -> Plan:
    """Raises Problem 404 or 422."""
    if which != "draft":
        body = stored(which)
    elif not isinstance(body, dict):
        raise invalid([{"pointer": "#/plan", "detail": _("Give the plan to be tried: its bands and classifiers.")}])
    try:
        plan = Plan.from_body(body, number=0)
        policies.check(plan)
    except PlanError as error:
        raise invalid([{"pointer": "#/plan", "detail": str(error)}]) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise invalid([{"pointer": "#/plan", "detail": _("This is not a plan's body.")}]) from error
    return plan


def stored(which: str) -> dict[str, Any]:
    if which.isascii() and which.isdigit() and len(which) < 10:
        row: TriagePlan | Proposal | None = TriagePlan.objects.filter(number=int(which)).first()
    else:
        try:
            key = UUID(which)
        except ValueError:
            key = None
        row = Proposal.objects.filter(pk=key, kind=ProposalKind.PLAN).first() if key else None
    if row is None:
        raise Problem(404, _("No such plan"), _("There is no plan with this number, and no draft with this id."))
    return row.body
