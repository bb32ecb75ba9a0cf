"""Why a person must look: one row a reason. Triage opens it, review answers it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Reason(models.TextChoices):
    UNCERTAIN = "uncertain", _("Uncertain")
    POLICY = "policy", _("The plan asks for a person")
    HASH_MATCH = "hash_match", _("Known image")
    CLASSIFIER_ERROR = "classifier_error", _("A classifier failed")
    REPORT = "report", _("Reported by a user")
    APPEAL = "appeal", _("Appeal")
    AUDIT_SAMPLE = "audit_sample", _("Audit sample")
    GOLD = "gold", _("Gold item")
    SECOND_OPINION = "second_opinion", _("Second opinion")
    LEARNING = "learning", _("To learn from")


class ReviewRequest(models.Model):
    """An open one (`closed_at` is null) is work; the partial index keeps the queue's cost with the backlog, not the
    archive.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="requests")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    category = models.CharField(
        max_length=40, blank=True, default="", help_text="The likely category, when one stands out."
    )
    queue = models.SlugField(max_length=50, default="general")
    priority = models.FloatField(
        default=0, db_default=0, help_text="The queue's sort key, higher first. Written by moderation.requests."
    )
    weight = models.FloatField(default=0, db_default=0, help_text="ln of severity × uncertainty × reach.")
    severity = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Of the likely category, 0–4.")
    needed = models.PositiveSmallIntegerField(default=1, help_text="Independent decisions that settle it.")
    due_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(help_text="In the past: free to claim.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(reason__in=Reason.values), name="request_reason_known"),
            models.UniqueConstraint(
                fields=["submission", "reason"],
                condition=models.Q(closed_at__isnull=True),
                name="request_open_once_per_reason",
            ),
        ]
        indexes = [
            models.Index(
                "queue",
                models.F("priority").desc(),
                "id",
                "severity",  # so that what somebody may not be given costs no look at its row
                condition=models.Q(closed_at__isnull=True),
                name="request_open_by_queue",
            ),
            models.Index(
                fields=["queue", "opened_at"], condition=models.Q(closed_at__isnull=True), name="request_opened"
            ),
            models.Index(fields=["reason", "-submission"], name="request_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} for {self.submission_id}"
