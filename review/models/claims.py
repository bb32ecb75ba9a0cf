"""Who holds what: leases on requests."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class Outcome(models.TextChoices):
    DECIDED = "decided", _("Decided")
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Lease ended")
    SENT = "sent", _("Sent on")
    TAKEN = "taken", _("Taken over by a lead")


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
