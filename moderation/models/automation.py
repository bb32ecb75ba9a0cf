"""What automation may not decide until somebody lifts the stop. `moderation.automation` is the only writer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from moderation.taxonomy import Category


class StopAction(models.TextChoices):
    ALL = "", _("approving and blocking")
    APPROVE = "approve", _("approving")
    BLOCK = "block", _("blocking")


class AutomationStop(models.Model):
    """In force until `lifted_at`. `category` "": all of them; `client` null: every client. Who acts is copied in as
    words: the house may, too.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    category = models.CharField(max_length=40, blank=True)
    action = models.CharField(max_length=7, choices=StopAction.choices, blank=True)
    client = models.ForeignKey("moderation.Client", on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    stopped_by = models.CharField(max_length=200)
    stopped_by_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    stopped_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(category__in=["", *Category.values]), name="automation_stop_category_known"
            ),
            models.CheckConstraint(
                condition=models.Q(action__in=StopAction.values), name="automation_stop_action_known"
            ),
            models.UniqueConstraint(
                fields=["category", "action", "client"],
                condition=models.Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="automation_stopped_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action or 'all'} in {self.category or 'all'}"
