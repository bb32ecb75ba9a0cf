"""Calibration sessions: the same images, judged by several people without sight of each other, then talked over."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from review.models.decisions import Verdict


class CalibrationSession(models.Model):
    """Open until its lead closes it; what people said is shown to each once they have answered everything."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(max_length=120)
    led_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title


class CalibrationSeat(models.Model):
    session = models.ForeignKey(CalibrationSession, on_delete=models.PROTECT, related_name="seats")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="calibration_seats")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "person"], name="calibration_seat_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.session_id}"


class CalibrationItem(models.Model):
    session = models.ForeignKey(CalibrationSession, on_delete=models.PROTECT, related_name="items")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="calibrations")
    position = models.PositiveSmallIntegerField()
    note = models.TextField(blank=True, default="", help_text="What came of talking about it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "submission"], name="calibration_item_once"),
            models.UniqueConstraint(fields=["session", "position"], name="calibration_item_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.session_id}"


class CalibrationVote(models.Model):
    """Given once: what was said before the others were heard stays said."""

    item = models.ForeignKey(CalibrationItem, on_delete=models.PROTECT, related_name="votes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    labels = models.JSONField(default=list)
    words = models.TextField(blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=["approve", "block"]), name="calibration_verdict_known"
            ),
            models.UniqueConstraint(fields=["item", "person"], name="calibration_vote_once"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.person_id}"
