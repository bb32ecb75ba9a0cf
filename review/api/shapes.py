"""The shapes of requests and answers. Answers are described for the OpenAPI schema; tests hold real ones against it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from moderation.models import Audience, DefaultAction, Reason, Status
from moderation.taxonomy import Category, Severity
from review.handovers import LONGEST as LONGEST_NOTE
from review.judgements import LONGEST, LONGEST_LOOK, PANELS, VARIANTS
from review.models import Verdict
from review.queue import MOST


class ClaimOrder(serializers.Serializer[object]):
    count = serializers.IntegerField(min_value=1, max_value=MOST, default=1, help_text="How many requests to lease.")


class Label(serializers.Serializer[object]):
    category = serializers.ChoiceField(choices=Category.choices)
    severity = serializers.ChoiceField(choices=Severity.choices)


class Seen(serializers.Serializer[object]):
    revealed = serializers.BooleanField(help_text="Whether the image was shown unblurred.")
    seconds = serializers.FloatField(min_value=0, max_value=LONGEST_LOOK, help_text="For how long it was in view.")
    zoomed = serializers.BooleanField(required=False, help_text="Whether it was enlarged.")
    loupe = serializers.BooleanField(required=False)
    grey = serializers.BooleanField(required=False, help_text="Whether it was shown in grey.")
    variant = serializers.ChoiceField(choices=VARIANTS, required=False)
    panels = serializers.ListField(
        child=serializers.ChoiceField(choices=PANELS), required=False, help_text="What beside the image was in view."
    )
    tile = serializers.IntegerField(required=False, help_text="Its size in pixels, where it was one of many on a page.")


class DecisionOrder(serializers.Serializer[object]):
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    labels = Label(many=True, required=False, default=list, help_text="What it violates; a block names at least one.")
    rationale = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST, help_text="Told to the author on request."
    )
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST, help_text="For colleagues only."
    )
    seen = Seen(required=False, default=dict)
    bank = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="Make copies known: a bank's name, or “category” for the one of the gravest category named.",
    )


class Band(serializers.Serializer[object]):
    code = serializers.CharField()
    name = serializers.CharField()
    probability = serializers.FloatField()
    band = serializers.ChoiceField(choices=["approve", "review", "block"], allow_null=True)
    approve = serializers.FloatField(allow_null=True, help_text="Approved below this cut.")
    block = serializers.FloatField(allow_null=True, help_text="Blocked from this cut on; null: only by a person.")
    overlay = serializers.CharField(
        allow_null=True, help_text="The overlay whose cuts these are; null: the plan's own. As lowered for this image."
    )


class Links(serializers.Serializer[object]):
    blurred = serializers.CharField(help_text="Small, blurred and grey.")
    look = serializers.CharField(help_text="POST there to see the clear image: the look goes on record.")


class Guideline(serializers.Serializer[object]):
    category = serializers.ChoiceField(choices=Category.choices)
    name = serializers.CharField()
    version = serializers.IntegerField()
    headline = serializers.CharField()
    definition = serializers.CharField()
    allowed = serializers.ListField(child=serializers.CharField())
    not_allowed = serializers.ListField(child=serializers.CharField())
    exceptions = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices)
    action = serializers.ChoiceField(
        choices=DefaultAction.choices,
        allow_null=True,
        help_text="What the guideline makes of a violation before this image's audience; null: it says nothing of it.",
    )
    published_at = serializers.DateTimeField()


class ClaimedSubmission(serializers.Serializer[object]):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    prompt = serializers.CharField(allow_blank=True)
    negative_prompt = serializers.CharField(allow_blank=True)
    generator: serializers.Field[Any, Any, Any, Any] = serializers.DictField()
    surface = serializers.CharField(allow_blank=True)
    audience = serializers.ChoiceField(choices=Audience.choices)
    territories = serializers.ListField(child=serializers.CharField())
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    media_type = serializers.CharField()
    byte_size = serializers.IntegerField()
    created_at = serializers.DateTimeField(allow_null=True, help_text="Null where a person is to judge unaided.")
    status = serializers.ChoiceField(
        choices=Status.choices, allow_null=True, help_text="Null where a person is to judge unaided."
    )
    categories = Band(many=True, help_text="The likeliest first; empty where a person is to judge unaided.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why a person looks, in sentences.")
    by_territory = serializers.DictField(
        help_text="{code: {route, reasons}}, where triage did not treat all territories alike; else empty."
    )
    provenance = serializers.DictField(
        allow_null=True,
        help_text="Where the file says it comes from, in words; null where a person is to judge unaided.",
    )
    image = Links(help_text="Paths on this host, for this person only; the blurred one for a few minutes.")
    policy = Guideline(allow_null=True, help_text="The guideline of the likely category.")


class ClaimAnswer(serializers.Serializer[object]):
    claim_id = serializers.UUIDField()
    request_id = serializers.UUIDField()
    submission_id = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=Reason.choices)
    category = serializers.ChoiceField(choices=Category.choices, allow_null=True)
    claimed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    submission = ClaimedSubmission()


class ClaimsAnswer(serializers.Serializer[object]):
    claims = ClaimAnswer(many=True)


class DecisionAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    claim_id = serializers.UUIDField()
    submission_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    labels = Label(many=True)
    rationale = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    seen: serializers.Field[Any, Any, Any, Any] = serializers.DictField()
    policy_version = serializers.CharField(help_text="The guideline it was decided by.")
    decided_at = serializers.DateTimeField()
    undo_until = serializers.DateTimeField(help_text="Until then nobody outside hears of it, and it may be taken back.")
    held = serializers.CharField(
        allow_blank=True, help_text="Why it waits for a second person; empty where it does not."
    )


class OutsideLookOrder(serializers.Serializer[object]):
    submission = serializers.UUIDField()


class LookOrder(serializers.Serializer[object]):
    seconds = serializers.FloatField(
        min_value=0, help_text="In view so far. Less than was said before changes nothing."
    )


class LookAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    seconds = serializers.FloatField(help_text="What counts: never more than the clock allows.")
    budget_share = serializers.FloatField(help_text="Of your exposure budget this shift; 1 and more: used up.")


class UndoAnswer(serializers.Serializer[object]):
    decision_id = serializers.UUIDField()
    claim_id = serializers.UUIDField(
        allow_null=True, help_text="Your new lease on the request; null when somebody else was asked meanwhile."
    )
    expires_at = serializers.DateTimeField(allow_null=True)


class NoteOrder(serializers.Serializer[object]):
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_NOTE, help_text="Why; kept in the audit log."
    )


class SendOrder(NoteOrder):
    queue = serializers.CharField(help_text="One of the `destinations` that `GET /queues` names.")


class HandoverAnswer(serializers.Serializer[object]):
    claim_id = serializers.UUIDField(help_text="Your claim, which has ended.")
    request_id = serializers.UUIDField()
    queue = serializers.CharField(help_text="Where the request waits now.")
    needed = serializers.IntegerField(help_text="Independent decisions that settle it.")


class TakeoverAnswer(serializers.Serializer[object]):
    claim_id = serializers.UUIDField(help_text="Your new claim.")
    request_id = serializers.UUIDField()
    queue = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ExtensionAnswer(serializers.Serializer[object]):
    claim_id = serializers.UUIDField()
    expires_at = serializers.DateTimeField()


class Lateness(serializers.Serializer[object]):
    looked_at = serializers.IntegerField(help_text="So many of the oldest open requests were looked at.")
    half = serializers.IntegerField(help_text="Of these have used half of the time to their due date, or more.")
    most = serializers.IntegerField(help_text="80 %, or more.")
    late = serializers.IntegerField(help_text="All of it.")


class QueueAnswer(serializers.Serializer[object]):
    name = serializers.CharField()
    title = serializers.CharField()
    order = serializers.ChoiceField(choices=["urgent", "oldest"])
    open = serializers.IntegerField(help_text="Requests waiting or in somebody's hands.")
    capped = serializers.BooleanField(help_text="Whether there are more than `open`: counting stops there.")
    oldest = serializers.DateTimeField(allow_null=True)
    due = Lateness()
    arrivals_per_hour = serializers.FloatField(help_text="In the last hour.")
    decisions_per_hour = serializers.FloatField(help_text="In the last hour.")
    wait_seconds = serializers.FloatField(
        allow_null=True, help_text="For a new request, at the pace of the last hour; null when nobody decided."
    )


class Destination(serializers.Serializer[object]):
    name = serializers.CharField()
    title = serializers.CharField()


class QueuesAnswer(serializers.Serializer[object]):
    queues = QueueAnswer(many=True)
    destinations = Destination(many=True, help_text="Where a request may be sent, whether or not you work there.")
