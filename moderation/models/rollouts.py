"""A plan tried on a share of the traffic. `moderation.rollouts` is the only writer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class RolloutEnd(models.TextChoices):
    ADOPTED = "adopted", _("Adopted")
    DROPPED = "dropped", _("Dropped")


class Rollout(models.Model):
    """Running until `ended_at`; one at a time. `adopted` is the plan that came of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    candidate = models.OneToOneField("moderation.TriagePlan", on_delete=models.PROTECT, related_name="rollout")
    share = models.FloatField(help_text="Of new images that follow the candidate, by a keyed hash of their ids.")
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    end = models.CharField(max_length=7, choices=RolloutEnd.choices, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True, help_text="In words: the house may drop it, too.")
    why = models.TextField(blank=True)
    adopted = models.ForeignKey("moderation.TriagePlan", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(share__gt=0, share__lt=1), name="rollout_share_between"),
            models.CheckConstraint(condition=models.Q(end__in=["", *RolloutEnd.values]), name="rollout_end_known"),
            models.UniqueConstraint(
                fields=["ended_at"],
                condition=models.Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="rollout_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.share:.0%} to {self.candidate}"
