"""Sessions in PostgreSQL: a sign-out, or the end of a person's rights, holds for the next request of every process."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.sessions.backends import db
from django.utils import timezone

from moderation.statements import prepared

SESSION: Final = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        """As Django's own, which builds its statement anew for every request."""
        with prepared() as cursor:
            cursor.execute(SESSION, [self.session_key, timezone.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(row[0])
        return data
