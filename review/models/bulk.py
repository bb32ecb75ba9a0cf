"""One act on everything that a search found. The rows say how far it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from moderation.taxonomy import Category, Severity


class BulkVerdict(models.TextChoices):
    APPROVE = "approve", _("Approve")
    BLOCK = "block", _("Block")
    REVIEW = "review", _("Send to review")
    SECOND_OPINION = "second_opinion", _("Ask for a second opinion")


class BulkState(models.TextChoices):
    HELD = "held", _("Waits for a second person")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Sent back by the second person")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class BulkAction(models.Model):
    """`state` is changed by conditional UPDATE only, in `review.bulk`."""

    AT_WORK = frozenset({BulkState.RUNNING, BulkState.UNDOING})

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_actions")
    asked_at = models.DateTimeField(auto_now_add=True)
    query = models.TextField(help_text="The search, as in its address.")
    verdict = models.CharField(max_length=16, choices=BulkVerdict.choices)
    category = models.CharField(max_length=40, choices=Category.choices, blank=True, default="")
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, null=True)
    reason = models.TextField(help_text="Why.")
    total = models.PositiveIntegerField(help_text="Items; fixed when it was asked for.")
    state = models.CharField(max_length=8, choices=BulkState.choices)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    words = models.TextField(blank=True, default="", help_text="Why it is held, or why it was sent back.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=BulkState.values), name="bulk_state_known"),
            models.CheckConstraint(condition=models.Q(verdict__in=BulkVerdict.values), name="bulk_verdict_known"),
            models.CheckConstraint(
                condition=models.Q(answered_by__isnull=True) | ~models.Q(answered_by=models.F("asked_by")),
                name="bulk_by_two_people",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state__in=["held", "running", "undoing"]), name="bulk_open"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.total}"
