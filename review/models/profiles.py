"""What reviewers know, as leads keep it: it decides which queues are open to them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class ReviewerProfile(models.Model):
    """One person's languages (primary subtags, lower case) and specialties (free words, lower case)."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="reviewer_profile"
    )
    languages = ArrayField(models.CharField(max_length=3), default=list)
    specialties = ArrayField(models.CharField(max_length=40), default=list)

    def __str__(self) -> str:
        return str(self.person_id)
