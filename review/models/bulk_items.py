"""What became of each submission that a bulk action is about."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from review.models.bulk import BulkAction


class ItemState(models.TextChoices):
    WAITING = "waiting", _("Waits")
    MOVED = "moved", _("Done")
    SKIPPED = "skipped", _("Left as it was")
    UNDONE = "undone", _("Moved back")
    KEPT = "kept", _("Touched since: stays")


class BulkItem(models.Model):
    """One submission of a bulk action."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    action = models.ForeignKey(BulkAction, on_delete=models.PROTECT, related_name="items")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="bulk_items")
    state = models.CharField(max_length=8, choices=ItemState.choices, default=ItemState.WAITING)
    came_from = models.CharField(max_length=12, blank=True, default="", help_text="Its status before.")
    moved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["action", "submission"], name="bulk_item_once"),
            models.CheckConstraint(condition=models.Q(state__in=ItemState.values), name="bulk_item_state_known"),
        ]
        indexes = [models.Index(fields=["action", "state", "id"], name="bulk_item_state")]

    def __str__(self) -> str:
        return f"{self.state} {self.submission_id}"
