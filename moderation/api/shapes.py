"""The shapes of requests and answers, for the OpenAPI schema. Tests hold real answers against them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from moderation.ingest.declared import MAX_TERRITORIES, TEXT_LIMITS
from moderation.models import Audience, Status
from moderation.taxonomy import Category

BANDS = ["approve", "review", "block"]
ROUTES = [*BANDS, "quarantine"]


def text(name: str, help_text: str) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=TEXT_LIMITS[name], help_text=help_text)


class Generator(serializers.Serializer[object]):
    name = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    seed = serializers.JSONField(required=False, help_text="A whole number or a short text.")
    parameters = serializers.DictField(required=False, help_text="The generator's own.")


class SubmissionFields(serializers.Serializer[object]):
    external_id = text(
        "external_id", "Your own name for it. Sending the same again is safe; other bytes are a conflict."
    )
    prompt = text("prompt", "What the image was made from.")
    negative_prompt = text("negative_prompt", "What it was to avoid.")
    generator = Generator(required=False)
    author_ref = text("author_ref", "Your pseudonym for the author; no name, no address.")
    surface = text("surface", "Where it is to be shown.")
    audience = serializers.ChoiceField(choices=Audience.choices, default=Audience.GENERAL)
    territories = serializers.ListField(
        child=serializers.RegexField(r"^[A-Z]{2}$"),
        required=False,
        max_length=MAX_TERRITORIES,
        help_text="ISO 3166-1 alpha-2. In a form: one field each, or JSON.",
    )
    context = serializers.DictField(required=False, help_text="Anything else that helps.")  # type: ignore[assignment]


@extend_schema_field({"type": "string", "format": "binary"})
class ImageFile(serializers.FileField):
    """A file part of a form."""


class SubmissionForm(SubmissionFields):
    image = ImageFile(help_text="JPEG, PNG, WebP, AVIF or GIF (of which the first frame is judged).")


class SubmissionJSON(SubmissionFields):
    image_base64 = serializers.CharField(help_text="The image's bytes in base64.")


class BatchJSON(serializers.Serializer[object]):
    submissions = serializers.ListField(child=SubmissionJSON(), min_length=1, max_length=100)


class ScoreAnswer(serializers.Serializer[object]):
    code = serializers.ChoiceField(choices=Category.choices)
    probability = serializers.FloatField(min_value=0, max_value=1)
    band = serializers.ChoiceField(choices=BANDS, help_text="Where the plan it was routed under puts this probability.")


class CategoryAnswer(ScoreAnswer):
    overlay = serializers.CharField(
        allow_null=True, help_text="The overlay whose bands held for this image; null: the plan's own."
    )


class ReasonAnswer(serializers.Serializer[object]):
    code = serializers.CharField()
    category = serializers.CharField(allow_null=True)
    probability = serializers.FloatField(allow_null=True)
    text = serializers.CharField(help_text="The same as a sentence.")


class Declared(serializers.Serializer[object]):
    prompt = serializers.CharField(allow_blank=True)
    negative_prompt = serializers.CharField(allow_blank=True)
    generator = serializers.DictField()
    author_ref = serializers.CharField(allow_blank=True)
    surface = serializers.CharField(allow_blank=True)
    audience = serializers.ChoiceField(choices=Audience.choices)
    context = serializers.DictField()  # type: ignore[assignment]


class ImageFacts(serializers.Serializer[object]):
    sha256 = serializers.CharField()
    media_type = serializers.CharField()
    byte_size = serializers.IntegerField()
    width = serializers.IntegerField(help_text="Pixels, after EXIF orientation.")
    height = serializers.IntegerField(help_text="Pixels, after EXIF orientation.")


class SubmissionAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=Status.choices)
    route = serializers.ChoiceField(choices=ROUTES, allow_null=True, help_text="What triage advised.")
    decided_by = serializers.ChoiceField(
        choices=["automation", "person"], allow_null=True, help_text="Null until settled."
    )
    categories = CategoryAnswer(many=True, help_text="Highest probability first; empty until triage.")
    reasons = ReasonAnswer(many=True)
    policy_version = serializers.CharField(allow_null=True, help_text="The guideline that applied, as in: HATE v2.")
    plan_version = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    territories = serializers.DictField(
        child=serializers.ChoiceField(choices=Status.choices), help_text="The status in each territory you declared."
    )
    territory_reasons = serializers.DictField(
        child=ReasonAnswer(many=True), help_text="Why, where not all territories are treated alike; else empty."
    )
    disclosure = serializers.DictField(
        help_text="Where the file says it comes from: {c2pa, digital_source_type, generator}; empty when nowhere."
    )
    cluster_id = serializers.UUIDField(
        allow_null=True, help_text="Your near-duplicates share it; null until triage, and under legal hold."
    )
    declared = Declared(required=False, help_text="What you sent with it; absent under legal hold.")
    image = ImageFacts(required=False, help_text="Absent under legal hold.")


class FieldProblem(serializers.Serializer[object]):
    pointer = serializers.CharField(help_text="A JSON pointer into the request, as in: #/generator/name.")
    detail = serializers.CharField()


class ProblemAnswer(serializers.Serializer[object]):
    """RFC 9457 problem details."""

    type = serializers.CharField(help_text="For programs: urn:loupe:problem:… or about:blank.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldProblem(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField(required=False, help_text="Name it when you ask us.")


class BatchResult(serializers.Serializer[object]):
    status = serializers.IntegerField(
        help_text="What the item would have been answered on its own: 202, 200, 409 or 422."
    )
    submission = SubmissionAnswer(allow_null=True)
    problem = ProblemAnswer(allow_null=True)


class BatchAnswer(serializers.Serializer[object]):
    results = BatchResult(many=True, help_text="One an item, in order.")


class EventAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(
        help_text="For a client: person, key or automation. For people: the name in the record."
    )
    action = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]
