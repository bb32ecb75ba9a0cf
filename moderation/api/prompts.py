"""Asking about a prompt before an image is made of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from moderation import ingest, metrics, screening
from moderation.api.answers import reason
from moderation.api.problems import invalid
from moderation.api.shapes import ReasonAnswer, ScoreAnswer, SubmissionFields
from moderation.models import Scope

ACTIONS: Final = ["allow", "transform", "review", "block"]
MOST_MATCHES: Final = 200
FIELDS: Final = ("prompt", "negative_prompt", "audience", "territories")


class PromptJSON(serializers.Serializer[object]):
    prompt = serializers.CharField(max_length=20_000, help_text="What the image is to be made from.")
    negative_prompt = serializers.CharField(
        required=False, max_length=20_000, help_text="What it is to avoid. It asks for nothing, so it is not judged."
    )
    audience = SubmissionFields().fields["audience"]
    territories = SubmissionFields().fields["territories"]


class MatchAnswer(serializers.Serializer[object]):
    term = serializers.CharField(help_text="As it is listed, in plain spelling.")
    category = serializers.CharField(help_text="A category's code, or in small letters a group that rules combine.")
    start = serializers.IntegerField(help_text="In characters (code points) of the prompt.")
    end = serializers.IntegerField()
    text = serializers.CharField(help_text="What stands in the prompt from start to end.")


class GuidanceAnswer(serializers.Serializer[object]):
    negative_prompt = serializers.CharField(
        allow_blank=True, help_text="To be added to the negative prompt; empty when nothing needs to be."
    )


class PromptAnswer(serializers.Serializer[object]):
    action = serializers.ChoiceField(
        choices=ACTIONS, help_text="transform: make it with the guidance added. review: let a person decide first."
    )
    categories = ScoreAnswer(many=True, help_text="Highest probability first.")
    reasons = ReasonAnswer(many=True)
    matched = MatchAnswer(many=True, help_text="The first 200, in the order of the prompt.")
    guidance = GuidanceAnswer()
    policy_version = serializers.CharField(allow_null=True, help_text="The guideline that applied, as in: HATE v2.")
    plan_version = serializers.IntegerField(allow_null=True)


class PromptCheck(APIView):
    scopes = {"POST": Scope.PROMPTS_CHECK}

    @extend_schema(
        operation_id="prompts_check",
        summary="Check a prompt before an image is made",
        request=PromptJSON,
        responses={200: PromptAnswer},
    )
    def post(self, request: Request) -> Response:
        """What the plan in force makes of it. Neither the prompt nor the answer is kept."""
        declared = declaration(request.data)
        judged = screening.judge(declared.prompt, negative_prompt=declared.negative_prompt)
        metrics.PROMPTS_CHECKED.add(action=judged.action)
        return Response(present(judged, declared.prompt))


def declaration(said: Any) -> ingest.Declared:
    """The fields a submission has, checked alike. Raises Problem 422, which names those at fault."""
    if not isinstance(said, dict):
        raise invalid([{"pointer": "#", "detail": _("Must be an object.")}])
    if isinstance(said.get("prompt", ""), str) and not said.get("prompt", "").strip():
        raise invalid([{"pointer": "#/prompt", "detail": _("Say what the image is to be made from.")}])
    try:
        return ingest.Declared.from_mapping({name: said[name] for name in FIELDS if name in said})
    except ingest.UnacceptableFields as error:
        raise invalid([asdict(one) for one in error.errors]) from error


def present(judged: screening.Judged, prompt: str) -> dict[str, Any]:
    return {
        "action": judged.action,
        "categories": [
            {"code": code, "probability": round(value, 4), "band": zone} for code, value, zone in judged.categories
        ],
        "reasons": [reason(asdict(why)) for why in judged.why],
        "matched": [
            {
                "term": match.term,
                "category": match.name,
                "start": match.start,
                "end": match.end,
                "text": prompt[match.start : match.end],
            }
            for match in judged.matches[:MOST_MATCHES]
        ],
        "guidance": {"negative_prompt": ", ".join(judged.guidance)},
        "policy_version": str(judged.policy) if judged.policy else None,
        "plan_version": judged.plan.number if judged.plan else None,
    }
