"""Who is signed in, and what they may do."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend

from moderation.models import User
from moderation.statements import Columns, prepared

COLUMNS: Final = Columns.of(User)
# Every request of a person begins with this, so it is one statement.
PERSON: Final = f"""
SELECT {COLUMNS.sql("person")}, ARRAY(
    SELECT permission.codename FROM moderation_user_groups membership
    JOIN auth_group_permissions granted ON granted.group_id = membership.group_id
    JOIN auth_permission permission ON permission.id = granted.permission_id
    JOIN django_content_type about ON about.id = permission.content_type_id
    WHERE membership.user_id = person.id AND about.app_label = 'moderation'
)
FROM moderation_user person WHERE person.id = %s
"""  # noqa: S608 - the names of our own columns


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: UUID) -> User | None:
        """The person with the scopes they hold, or None when they may no longer sign in."""
        with prepared() as cursor:
            cursor.execute(PERSON, [user_id])
            row = cursor.fetchone()
        if row is None:
            return None
        person = COLUMNS.load(row[:-1])
        person.scopes = frozenset(row[-1])
        return person if self.user_can_authenticate(person) else None
