"""What the quality pages read: a day's counts, kept by the worker, so that no page ever scans the archive."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Measure(models.TextChoices):
    VOTES = "votes", _("What people said of the same image")
    GOLD = "gold", _("Answers to gold items")
    REFERENCE = "reference", _("Votes beside what settled the image")
    OVERTURNED = "overturned", _("Settled decisions that others looked at again")
    ADJUDICATED = "adjudicated", _("Disagreements that seniors settled")
    AUTOMATION = "automation", _("Audit samples of what machines settled")
    SKILL = "skill", _("Dawid and Skene's estimate")


class QualityRollup(models.Model):
    """The counts of one measure on one day, by category and person where the measure has them ("" and null: none)."""

    day = models.DateField()
    measure = models.CharField(max_length=12, choices=Measure.choices)
    category = models.CharField(max_length=40, blank=True, default="")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    counts = models.JSONField()
    examples = models.JSONField(default=list, help_text="Submissions to look at, the latest few.")
    made_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(measure__in=Measure.values), name="rollup_measure_known"),
            models.UniqueConstraint(
                fields=["measure", "day", "category", "person"], name="rollup_once", nulls_distinct=False
            ),
        ]
        indexes = [models.Index(fields=["person", "day"], name="rollup_by_person")]

    def __str__(self) -> str:
        return f"{self.measure} {self.day} {self.category}"
