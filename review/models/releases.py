"""Getting an image out of legal hold: two people of two roles, neither of whom has seen it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7


class ReleaseState(models.TextChoices):
    ASKED = "asked", _("Waits for the other role")
    AGREED = "agreed", _("Released")
    REFUSED = "refused", _("Stays under hold")


class Release(models.Model):
    """One request to release one image. `state` is changed by conditional UPDATE only, in `review.releases`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    submission = models.ForeignKey("moderation.Submission", on_delete=models.PROTECT, related_name="releases")
    state = models.CharField(max_length=8, choices=ReleaseState.choices, default=ReleaseState.ASKED)
    reason = models.TextField(help_text="Why it should be released.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_as = models.CharField(max_length=20, help_text="The scope that the asker acted by; the other role answers.")
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    words = models.TextField(blank=True, default="", help_text="Why it stays under hold.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ReleaseState.values), name="release_state_known"),
            models.UniqueConstraint(
                fields=["submission"], condition=models.Q(state="asked"), name="release_asked_once"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_by__isnull=True) | ~models.Q(answered_by=models.F("asked_by")),
                name="release_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.submission_id}"
