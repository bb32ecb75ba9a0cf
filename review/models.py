"""People looking and deciding: who holds what, who decided what, and the data sets made of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Verdict(models.TextChoices):
    APPROVE = "approve", _("Approve")
    BLOCK = "block", _("Block")
    ESCALATE = "escalate", _("Escalate to a senior")
    QUARANTINE = "quarantine", _("Quarantine: legal hold")
    SKIP = "skip", _("Skip: somebody else decides")


class Outcome(models.TextChoices):
    DECIDED = "decided", _("Decided")
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Lease ended")


class Claim(models.Model):
    """A lease on one request by one person. At most one open claim a request, by constraint."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey("moderation.ReviewRequest", on_delete=models.PROTECT, related_name="claims")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims")
    claimed_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=models.Q(ended_at__isnull=True), name="claim_open_once_per_request"
            ),
        ]
        indexes = [
            models.Index(fields=["reviewer"], condition=models.Q(ended_at__isnull=True), name="claim_open_by_reviewer"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} by {self.reviewer_id}"


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
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.submission_id}"


class Dataset(models.Model):
    """A label manifest that was written: its fingerprint names it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    fingerprint = models.CharField(max_length=64, unique=True)
    rows = models.PositiveBigIntegerField()
    query = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.fingerprint[:12]
