"""Who may do what: six roles, each a Django group holding the scopes listed here."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from moderation.models import Scope, User


class Role(models.TextChoices):
    MODERATOR = "moderator", _("Moderator")
    SENIOR = "senior", _("Senior moderator")
    POLICY_LEAD = "policy_lead", _("Policy lead")
    ML_ENGINEER = "ml_engineer", _("ML engineer")
    AUDITOR = "auditor", _("Auditor")
    ADMIN = "admin", _("Admin")


SCOPES: Final[dict[Role, frozenset[Scope]]] = {
    Role.MODERATOR: frozenset({Scope.REVIEW, Scope.BANKS_ADD, Scope.POLICY_READ}),
    Role.SENIOR: frozenset(
        {
            Scope.REVIEW,
            Scope.REVIEW_ESCALATED,
            Scope.REVIEW_LEAD,
            Scope.BANKS_ADD,
            Scope.POLICY_READ,
            Scope.SUBMISSIONS_READ,
        }
    ),
    Role.POLICY_LEAD: frozenset(
        {Scope.POLICY, Scope.BANKS, Scope.POLICY_READ, Scope.SUBMISSIONS_READ, Scope.PROMPTS_CHECK}
    ),
    Role.ML_ENGINEER: frozenset(
        {Scope.ML, Scope.EXPORTS, Scope.POLICY_READ, Scope.SUBMISSIONS_READ, Scope.PROMPTS_CHECK}
    ),
    Role.AUDITOR: frozenset({Scope.AUDIT, Scope.POLICY_READ, Scope.SUBMISSIONS_READ}),
    Role.ADMIN: frozenset({Scope.ADMIN, Scope.AUDIT, Scope.POLICY_READ, Scope.SUBMISSIONS_READ}),
}


@transaction.atomic
def sync() -> dict[str, list[str]]:
    """Afterwards each role's group holds exactly its scopes. Returns what each role may do."""
    held = {}
    for role, scopes in SCOPES.items():
        group, _created = Group.objects.get_or_create(name=role.value)
        permissions = Permission.objects.filter(
            content_type__app_label="moderation", codename__in=[scope.value for scope in scopes]
        )
        group.permissions.set(permissions)
        held[role.value] = sorted(scope.value for scope in scopes)
    return held


def holders(scope: Scope) -> models.QuerySet[User]:
    """The people, still active, whose groups or superuser rank grant the scope."""
    granted = models.Q(
        groups__permissions__codename=scope.value, groups__permissions__content_type__app_label="moderation"
    )
    return User.objects.filter(granted | models.Q(is_superuser=True), is_active=True).distinct()


def grant(user: User, role: Role) -> None:
    """Give `user` the role. Raises Group.DoesNotExist before the first `sync_roles`."""
    user.groups.add(Group.objects.get(name=role.value))
