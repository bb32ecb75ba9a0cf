"""What the house does so that nobody sees more than they must, and the record of who looked at what for how long."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class OrganisationSettings(models.Model):
    """One edition of the organisation's defaults and limits; the newest is in force, and none is ever edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    body = models.JSONField(help_text="As review.wellness.settings.House.dump writes it.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"settings of {self.made_at:%Y-%m-%d %H:%M}"


class ReviewerSettings(models.Model):
    """What one person chose for themselves. Nobody else reads it, and no reason is asked."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="reviewer_settings"
    )
    comfort = models.JSONField(default=dict, help_text="Only what differs from the organisation's defaults.")
    avoided = models.JSONField(default=list, help_text="Codes of the categories that are kept from this person.")
    severest_since = models.DateTimeField(null=True, help_text="Volunteers for S4 since then; null: does not.")
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"settings of {self.person_id}"


class Place(models.TextChoices):
    DESK = "desk", _("At the desk")
    ELSEWHERE = "elsewhere", _("Outside the desk")


class Look(models.Model):
    """One person saw one image clearly. `seconds` only grows; `weight` is what a second of it counts for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="looks")
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="looks")
    claim = models.ForeignKey("review.Claim", on_delete=models.PROTECT, null=True, related_name="looks")
    place = models.CharField(max_length=10, choices=Place.choices)
    severity = models.PositiveSmallIntegerField()
    weight = models.FloatField()
    revealed_at = models.DateTimeField()
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(place__in=Place.values), name="look_place_known"),
            models.CheckConstraint(condition=models.Q(seconds__gte=0, weight__gte=0), name="look_counts_up"),
        ]
        indexes = [models.Index(fields=["reviewer", "revealed_at"], name="look_by_reviewer")]

    def __str__(self) -> str:
        return f"{self.reviewer_id} on {self.submission_id}"


class Exposure(models.Model):
    """The looks of one person in one hour at one severity, summed when they are logged: what pages and limits read."""

    pk = models.CompositePrimaryKey("reviewer", "hour", "severity")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField(help_text="Its beginning.")
    severity = models.PositiveSmallIntegerField()
    looks = models.PositiveIntegerField()
    seconds = models.FloatField()
    weighted = models.FloatField(help_text="Seconds times the weight of their severity.")

    class Meta:
        indexes = [models.Index(fields=["hour"], name="exposure_by_hour")]

    def __str__(self) -> str:
        return f"{self.reviewer_id} in the hour of {self.hour:%Y-%m-%d %H}"
