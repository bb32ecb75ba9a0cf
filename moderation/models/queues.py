"""Named queues, as policy leads define them. `moderation.queues.keeping` is their only writer."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class QueueOrder(models.TextChoices):
    URGENT = "urgent", _("Most urgent first")
    OLDEST = "oldest", _("Oldest first")


class ReviewQueue(models.Model):
    """One queue. Requests name it by its slug; the general and the escalated one are there without a row too."""

    slug = models.SlugField(max_length=50, primary_key=True)
    title = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=100, help_text="The first that takes a request gets it.")
    order = models.CharField(max_length=6, choices=QueueOrder.choices, default=QueueOrder.URGENT)
    conditions = models.JSONField(
        default=dict, help_text="{categories, least_severity, territories, languages, surfaces, reasons, clients}"
    )
    due = models.JSONField(default=dict, help_text="{hours: [of severity 0 … 4], territories: {code: {severity: h}}}")
    calendar = models.JSONField(null=True, help_text="{zone, weekdays, opens, closes, holidays}; null: always.")
    access = models.JSONField(default=dict, help_text="{languages, specialties, members}")
    changed_at = models.DateTimeField(auto_now=True)
    retired_at = models.DateTimeField(null=True)
    unsettled = models.BooleanField(default=False, help_text="Its open requests have yet to be put in its order.")

    class Meta:
        ordering = ["position", "slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(order__in=QueueOrder.values), name="queue_order_known"),
        ]

    def __str__(self) -> str:
        return self.slug
