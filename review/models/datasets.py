"""The data sets made of what people decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7


class Dataset(models.Model):
    """A label manifest that was written: its fingerprint names it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    fingerprint = models.CharField(max_length=64, unique=True)
    rows = models.PositiveBigIntegerField()
    query = models.JSONField()
    folder = models.CharField(
        max_length=200, blank=True, default="", help_text="Under LOUPE_DATASETS_DIR; blank: written elsewhere."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.fingerprint[:12]

    @property
    def bare(self) -> bool:
        """Made without embeddings. What was written by earlier releases or elsewhere may not say."""
        return bool(self.query.get("backbone") == "")
