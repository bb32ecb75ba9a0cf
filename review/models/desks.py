"""What the desk keeps of a person: their keys, and who called upon them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from review.models.decisions import Decision


class DeskSettings(models.Model):
    """How one person set up their desk."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="desk_settings"
    )
    keys = models.JSONField(default=dict, help_text="{act: key}: only what differs from the house's.")

    def __str__(self) -> str:
        return f"desk of {self.person_id}"


class Mention(models.Model):
    """A note with its decision names a colleague."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="mentions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="mentions")
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "person"], name="mention_once")]
        indexes = [models.Index(fields=["person", "-id"], name="mention_by_person")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.decision_id}"
