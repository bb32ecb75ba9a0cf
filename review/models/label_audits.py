"""Audits of labels: what was asked for, what came of it, which labels are doubted, and who is asked about them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from review.models.datasets import Dataset


class LabelAudit(models.Model):
    """An audit of a data set that was asked for. Never edited: what came of it is its `LabelAuditOutcome`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="audits")
    version = models.CharField(
        max_length=151, blank=True, default="", help_text="Whose probabilities; blank: of heads fitted for it."
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=200, help_text="Who asked, as the audit log has it.")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"audit of {self.dataset_id}"


class LabelAuditOutcome(models.Model):
    """What came of an audit. Never edited."""

    audit = models.OneToOneField(LabelAudit, on_delete=models.PROTECT, primary_key=True, related_name="outcome")
    figures = models.JSONField(default=dict, help_text="As review.label_audits.telling writes them.")
    error = models.TextField(blank=True, default="", help_text="Why nothing came of it.")
    ended_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.error or f"outcome of {self.audit_id}"


class LabelSuspicion(models.Model):
    """One doubted label of an audit; the most doubted is at place 1. Never edited."""

    audit = models.ForeignKey(LabelAudit, on_delete=models.PROTECT, related_name="suspicions")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="doubted")
    category = models.CharField(max_length=40)
    place = models.PositiveIntegerField()
    label = models.PositiveSmallIntegerField(help_text="As given: 1 violates, 0 does not.")
    probability = models.FloatField(help_text="Of 1, by heads that did not see the label.")
    agreement = models.FloatField(null=True, help_text="Share of the nearest neighbours with the same label.")
    suspicion = models.FloatField()
    flagged = models.BooleanField(help_text="Confidently the other.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "place"], name="suspicion_place_once"),
            models.UniqueConstraint(fields=["audit", "submission", "category"], name="suspicion_label_once"),
            models.CheckConstraint(condition=models.Q(label__in=[0, 1]), name="suspicion_label_known"),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.label} of {self.submission_id}"


class LabelAsk(models.Model):
    """Somebody else is asked about a doubted label, by this request. Never edited."""

    suspicion = models.OneToOneField(LabelSuspicion, on_delete=models.PROTECT, related_name="ask")
    request = models.ForeignKey("moderation.ReviewRequest", on_delete=models.PROTECT, related_name="doubts")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"ask about {self.suspicion_id}"
