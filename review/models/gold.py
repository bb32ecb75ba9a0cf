"""Images whose answer is known, mixed into the queues to see how people decide, and how much of that there is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from review.models.decisions import Verdict


class GoldItem(models.Model):
    """What seniors agree the right decision on an image is. To change it, it is retired and made again."""

    EXPECTED = (Verdict.APPROVE, Verdict.BLOCK)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="gold")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    labels = models.JSONField(default=list, help_text="[{category, severity}, …] of what violates.")
    category = models.CharField(max_length=40, help_text="Which category it tests: named by it, or easily mistaken.")
    why = models.TextField(help_text="Told to whoever asks why this is the right answer.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=["approve", "block"]), name="gold_verdict_known"),
            models.UniqueConstraint(
                fields=["submission"], condition=models.Q(retired_at__isnull=True), name="gold_once_per_image"
            ),
        ]
        indexes = [
            models.Index(fields=["category"], condition=models.Q(retired_at__isnull=True), name="gold_in_use"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} for {self.submission_id}"


class GoldTurn(models.Model):
    """One person's turn at one item: each gets it once, and nobody else the request made for it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(GoldItem, on_delete=models.PROTECT, related_name="turns")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    request = models.OneToOneField("moderation.ReviewRequest", on_delete=models.PROTECT, related_name="gold_turn")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "reviewer"], name="gold_turn_once")]
        indexes = [models.Index(fields=["at"], name="gold_turn_by_time")]

    def __str__(self) -> str:
        return f"{self.item_id} to {self.reviewer_id}"


class QualityRules(models.Model):
    """One edition of how much is checked; the newest is in force, and none is ever edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    gold_share = models.FloatField(help_text="Of the requests a person is given, the share that are gold items.")
    unaided_share = models.FloatField(help_text="Of uncertain images, the share shown without scores; 1: all.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gold_share__range=(0, 0.25), unaided_share__range=(0, 1)), name="quality_rules_fit"
            ),
        ]

    def __str__(self) -> str:
        return f"gold {self.gold_share:g}, unaided {self.unaided_share:g}"
