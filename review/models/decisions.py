"""What people decided. Never edited."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from review.models.claims import Claim


class Verdict(models.TextChoices):
    APPROVE = "approve", _("Approve")
    BLOCK = "block", _("Block")
    ESCALATE = "escalate", _("Escalate to a senior")
    QUARANTINE = "quarantine", _("Quarantine: legal hold")
    SKIP = "skip", _("Skip: somebody else decides")


class Decision(models.Model):
    """What one person decided on one claim. Never edited; `seen` holds what they could see."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="decision")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="decisions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    labels = models.JSONField(default=list, help_text="[{category, severity}, …] of what violates.")
    rationale = models.TextField(blank=True, default="", help_text="Told to the author on request.")
    note = models.TextField(blank=True, default="", help_text="For colleagues only.")
    seen = models.JSONField(default=dict, help_text="{revealed, seconds, …}: what the reviewer could see.")
    policy = models.ForeignKey("moderation.PolicyVersion", on_delete=models.PROTECT)
    plan = models.ForeignKey("moderation.TriagePlan", on_delete=models.PROTECT, null=True)
    idempotency_key = models.CharField(max_length=200, blank=True, default="")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=Verdict.values), name="decision_verdict_known"),
        ]
        indexes = [
            models.Index(fields=["reviewer", "-id"], name="decision_by_reviewer"),
            models.Index(fields=["decided_at"], name="decision_by_time"),
            GinIndex(fields=["labels"], opclasses=["jsonb_path_ops"], name="decision_labels"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.submission_id}"
