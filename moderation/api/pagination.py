"""Lists by keyset: a page costs the same wherever it lies, and nothing is counted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class RecentFirst(CursorPagination):
    """Newest first, by time-ordered id. `limit` up to 200."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Any:
        """A cursor that we did not make is refused, rather than tried on the database."""
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                self.check_position(str(cursor.position))
        except (NotFound, ValueError) as error:
            message = _("Not a cursor of this list; follow next and previous as they are.")
            raise ValidationError({self.cursor_query_param: [message]}) from error
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """In OpenAPI 3.1's way of saying that there may be no such page."""
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}

    def check_position(self, position: str) -> None:
        """Raises ValueError."""
        UUID(position)


class OldestFirst(RecentFirst):
    """In the order of a chain's positions."""

    ordering = "position"

    def check_position(self, position: str) -> None:
        int(position)
