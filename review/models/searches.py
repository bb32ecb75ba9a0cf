"""Searches that are kept, and what is done to all that one finds."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7


class SavedView(models.Model):
    """A search under a name; shared ones are seen by everybody who may search."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="views")
    name = models.CharField(max_length=60)
    query = models.TextField(help_text="As in the page's address.")
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name_once_an_owner")]
        indexes = [models.Index(fields=["name"], condition=models.Q(shared=True), name="view_shared")]

    def __str__(self) -> str:
        return self.name
