"""What the worker read of the versions in service and the traffic, a row a day: pages and Prometheus read these."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from moderation.models.guardrails import Measure


class Level(models.TextChoices):
    """How far a figure is beyond its lines; without one nothing is known yet."""

    USUAL = "usual", _("as usual")
    WATCH = "watch", _("watch")
    ACT = "act", _("act")


class Reading(models.Model):
    """The latest figure of one day (UTC). `subject` is a version or a backbone as name@version, or "" of the traffic;
    `key` a category or a generator, or "". `figures` holds what it rests on, in the words of who wrote it.
    """

    pk = models.CompositePrimaryKey("day", "measure", "subject", "key")
    day = models.DateField()
    measure = models.CharField(max_length=10, choices=Measure.choices)
    subject = models.CharField(max_length=151, blank=True)
    key = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True, help_text="Of its 95 % interval, where it has one.")
    high = models.FloatField(null=True)
    level = models.CharField(max_length=5, choices=Level.choices, blank=True, default="")
    figures = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["measure", "subject", "key", "-day"], name="reading_course")]
        constraints = [
            models.CheckConstraint(condition=models.Q(measure__in=Measure.values), name="reading_measure_known"),
            models.CheckConstraint(condition=models.Q(level__in=["", *Level.values]), name="reading_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} of {self.subject} {self.key} on {self.day}"
