"""Blurred images in lists, for those who may see them."""

from __future__ import annotations

from typing import Any

from django import template

from moderation.models import Submission, User
from review import images

register = template.Library()


@register.simple_tag(takes_context=True)
def glimpse(context: dict[str, Any], submission: Submission) -> str:
    """`{% glimpse submission as url %}`: a short-lived link; "" for whom it is not meant and for what is under hold."""
    user = context.get("user")
    return images.glimpse(submission, user) if isinstance(user, User) else ""
