"""The people of the house. What each may do comes from the groups that `sync_roles` keeps."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, Permission
from django.db import models
from django.utils.functional import cached_property
from uuid_utils.compat import uuid7

from moderation.models.scopes import Scope


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        permissions = [(scope.value, str(scope.label)) for scope in Scope]

    def has_scope(self, scope: Scope) -> bool:
        """Whether this person's groups (or superuser rank) grant the scope."""
        return self.is_active and (self.is_superuser or scope.value in self.scopes)

    @cached_property
    def scopes(self) -> frozenset[str]:
        """What the person's groups grant. One query, once for each time the person is loaded."""
        held = Permission.objects.filter(group__user=self, content_type__app_label=self._meta.app_label)
        return frozenset(held.values_list("codename", flat=True))
