"""The people of the house. What each may do comes from the groups that `sync_roles` keeps."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from uuid_utils.compat import uuid7

from moderation.models.scopes import Scope


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined,misc]
        permissions = [(scope.value, str(scope.label)) for scope in Scope]

    def has_scope(self, scope: Scope) -> bool:
        """Whether this person's groups (or superuser rank) grant the scope."""
        return self.has_perm(f"moderation.{scope.value}")
