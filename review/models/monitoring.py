"""What monitoring goes by: a day's counts of audits, what scores are compared with, and its lines."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7


class AuditTally(models.Model):
    """Of the images that came in on one day (UTC): how many machines approved and blocked and sent to people, and what
    people found in those they looked at by lot. `counts` is as `review.estimates.tallies.Tally.dump` writes it.
    """

    pk = models.CompositePrimaryKey("day", "group")
    day = models.DateField()
    group = models.CharField(max_length=210, blank=True, help_text="client:KEY, generator:NAME, or blank: all.")
    counts = models.JSONField()
    waiting = models.PositiveIntegerField(default=0, help_text="Drawn or sent to people, and not settled yet.")
    unlotted = models.PositiveIntegerField(default=0, help_text="Images that no lot could bring up: not counted.")
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.group or 'all'} on {self.day}"


class DriftReference(models.Model):
    """What a version's scores, a backbone's images or the traffic looked like when it began. Never edited: to learn
    anew is to add one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.CharField(max_length=151, blank=True, help_text="name@version, or blank: the traffic.")
    begun_at = models.DateTimeField(help_text="Images from here on were taken.")
    last = models.UUIDField(help_text="The key of the last of them.")
    n = models.PositiveIntegerField()
    body = models.JSONField(help_text="{scores: {category: [quantile, …]}}, {images: [key, …]} or {shares: […]}.")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["subject", "-id"], name="reference_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject or 'traffic'} from {self.begun_at:%Y-%m-%d}"


class MonitoringSettings(models.Model):
    """One edition of the lines; the newest is in force, and none is ever edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    body = models.JSONField(help_text="As review.monitoring.settings.Lines.dump writes it.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"lines of {self.made_at:%Y-%m-%d %H:%M}"
