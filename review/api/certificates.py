"""Certificates of a plan's bands."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation.actors import Actor
from moderation.api.problems import Problem, invalid
from moderation.guarantees import Ground, Unproven, why_expired
from moderation.models import BandCertificate, BandRisk, Scope, TriagePlan, User
from moderation.taxonomy import Category
from review import certifying
from review.api.doors import person_of
from review.certifying import Family

MOST = 200


class CertificateOrder(serializers.Serializer[object]):
    category = serializers.ChoiceField(choices=Category.choices, required=False, help_text="One.")
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=Category.choices),
        required=False,
        min_length=1,
        help_text="Several, so that all that is certified holds at once (Holm). In place of `category`.",
    )
    risk = serializers.ChoiceField(choices=BandRisk.choices)
    alpha = serializers.FloatField(help_text="The limit, a share between 0 and 1.")
    delta = serializers.FloatField(help_text="The doubt that is left: 0.05 is 95 % confidence.")
    store = serializers.BooleanField(required=False, default=False, help_text="Keep it with the plan, and watch it.")
    falls_back = serializers.BooleanField(
        required=False, default=False, help_text="On alarm people decide in this category."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("category" in attrs) == ("categories" in attrs):
            raise serializers.ValidationError({"category": _("Name a category, or several as “categories”.")})
        return attrs


class CertificateAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField(allow_null=True, help_text="Null where it was not stored.")
    category = serializers.ChoiceField(choices=Category.choices)
    risk = serializers.ChoiceField(choices=BandRisk.choices)
    alpha = serializers.FloatField()
    delta = serializers.FloatField()
    threshold = serializers.FloatField(allow_null=True, help_text="Null: nothing can be certified, all goes to people.")
    n = serializers.IntegerField()
    k = serializers.IntegerField()
    p_value = serializers.FloatField()
    share = serializers.FloatField()
    rate = serializers.FloatField()
    method = serializers.CharField()
    plan = serializers.IntegerField()
    policy = serializers.CharField()
    classifiers = serializers.ListField(child=serializers.CharField())
    sampled_from = serializers.DateTimeField()
    sampled_until = serializers.DateTimeField()
    expired = serializers.CharField(required=False, help_text="Why a stored one holds no longer; empty while it does.")
    expires_at = serializers.DateTimeField(required=False)
    needed = serializers.DictField(
        required=False, help_text="{inside, audits, hours} until the plan's cut is certified."
    )
    corrected = serializers.DictField(allow_null=True, help_text="{share, low, high} with readers' errors reckoned in.")
    family = serializers.UUIDField(
        required=False, allow_null=True, help_text="Common to those certified at once; null where it was alone."
    )
    family_delta = serializers.FloatField(
        required=False, allow_null=True, help_text="The doubt that any of them is broken; `delta` is this one's part."
    )
    family_of = serializers.ListField(
        required=False, child=serializers.CharField(), help_text="The categories tested at once, certified or not."
    )


class Refusal(serializers.Serializer[object]):
    category = serializers.ChoiceField(choices=Category.choices)
    detail = serializers.CharField()


class FamilyAnswer(serializers.Serializer[object]):
    delta = serializers.FloatField(help_text="The doubt that any of the certificates is broken.")
    certificates = CertificateAnswer(many=True, help_text="A threshold of null: this one cannot be certified.")
    refused = Refusal(many=True, help_text="What could not be tested, and why; it took no part.")


class Certificates(APIView):
    scopes = {"GET": Scope.POLICY_READ, "POST": Scope.POLICY}

    @extend_schema(
        operation_id="plan_certificates",
        summary="Certificates stored with a plan, newest first, 200 at most",
        responses=CertificateAnswer(many=True),
    )
    def get(self, _request: Request, number: int) -> Response:
        plan = plan_or_problem(number)
        now, ground = timezone.now(), Ground.now()
        rows = (
            BandCertificate.objects.filter(plan=plan).select_related("watch", "plan", "policy").order_by("-id")[:MOST]
        )
        return Response([{**stored(row), "expired": why_expired(row, now, ground=ground)} for row in rows])

    @extend_schema(
        operation_id="plan_certify",
        summary="What the audits prove of a category, or of several at once, under the plan in force",
        request=CertificateOrder,
        responses={
            200: PolymorphicProxySerializer("Certified", [CertificateAnswer, FamilyAnswer], None),
            201: PolymorphicProxySerializer("Certified", [CertificateAnswer, FamilyAnswer], None),
            409: OpenApiResponse(description="Not the plan in force, or nothing to certify."),
        },
    )
    def post(self, request: Request, number: int) -> Response:
        person = person_of(request)
        order = CertificateOrder(data=request.data)
        order.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(order.validated_data)
        plan, in_force = plan_or_problem(number), TriagePlan.objects.in_force()
        if in_force != plan:
            raise Problem(409, _("Not in force"), _("Only the plan in force is certified: its audits are of now."))
        codes = [Category(code) for code in said.get("categories") or [said["category"]]]
        try:
            made = certifying.assess_all(codes, risk=said["risk"], alpha=said["alpha"], delta=said["delta"])
            if "category" in said:
                for why in made.refused.values():
                    raise Unproven(why)
            rows = keep_all(made, person, said) if said["store"] else []
        except ValueError as error:
            raise invalid([{"pointer": "#/alpha", "detail": str(error)}]) from error
        except Unproven as error:
            raise Problem(409, _("Nothing to certify"), str(error), code="unproven") from error
        kept = {row.category: {**stored(row), "expired": ""} for row in rows}
        answers = [{"id": None, **one.as_json(), **kept.get(one.category.value, {})} for one in made.made]
        answer = answers[0] if "category" in said else {**made.as_json(), "certificates": answers}
        return Response(answer, status=status.HTTP_201_CREATED if rows else status.HTTP_200_OK)


def keep_all(made: Family, person: User, said: dict[str, Any]) -> list[BandCertificate]:
    return certifying.keep_all(made, actor=Actor.person(person), person=person, falls_back=said["falls_back"])


def plan_or_problem(number: int) -> TriagePlan:
    plan = TriagePlan.objects.filter(number=number).first()
    if plan is None:
        raise Problem(404, _("No such plan"), _("There is no plan with this number."))
    return plan


def stored(row: BandCertificate) -> dict[str, Any]:
    plain = ("category", "risk", "alpha", "delta", "threshold", "n", "k", "p_value", "share", "rate", "method")
    more = ("classifiers", "corrected", "sampled_from", "sampled_until", "expires_at")
    said = {name: getattr(row, name) for name in (*plain, *more)}
    alike = {"family": row.family, "family_delta": row.family_delta, "family_of": row.family_of}
    return {"id": row.pk, **said, "plan": row.plan.number, "policy": str(row.policy), **alike}
