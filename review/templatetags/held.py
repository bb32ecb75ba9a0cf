"""How much waits for a second person, for the header."""

from __future__ import annotations

from typing import Any

from django import template

from moderation.models import User
from review import holding

register = template.Library()


@register.simple_tag(takes_context=True)
def held_for_you(context: dict[str, Any]) -> str:
    """`{% held_for_you as waiting %}`: a number, "99+", or "" where nothing waits or it is not for this person."""
    user = context.get("user")
    found = holding.count(user) if isinstance(user, User) else 0
    if found > holding.COUNTED:
        return f"{holding.COUNTED}+"
    return str(found) if found else ""
