"""What the signed-in person may do, for templates: a scope's name may hold a colon, which `perms.…` cannot spell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from moderation.models import Scope, User
from moderation.roles import Role

register = template.Library()

# URL name, words, and the scope without which the item is not shown.
SECTIONS: Final[tuple[tuple[str, Promise, Scope], ...]] = (
    ("desk", _("Desk"), Scope.REVIEW),
    ("queues", _("Queues"), Scope.REVIEW),
    ("search", _("Search"), Scope.SUBMISSIONS_READ),
    ("held", _("Held"), Scope.REVIEW_ESCALATED),
    ("quality", _("Quality"), Scope.REVIEW_ESCALATED),
    ("quality", _("Quality"), Scope.POLICY),
    ("policies", _("Policies"), Scope.POLICY_READ),
    ("banks", _("Known images"), Scope.BANKS),
    ("releases", _("Legal hold"), Scope.POLICY),
    ("learning", _("Learning"), Scope.ML),
    ("audit", _("Audit"), Scope.AUDIT),
)


@dataclass(frozen=True, slots=True)
class Section:
    url: str
    words: Promise
    current: bool


@register.simple_tag(takes_context=True)
def may(context: dict[str, Any], scope: str) -> bool:
    """`{% may "policy:read" as can_read %}`. An unknown scope is a mistake in the template and raises ValueError."""
    user = context.get("user")
    return isinstance(user, User) and user.has_scope(Scope(scope))


@register.simple_tag(takes_context=True)
def sections(context: dict[str, Any]) -> list[Section]:
    """The pages this person's role opens, for the header. A section whose page is not routed is left out."""
    user, request = context.get("user"), context.get("request")
    if not isinstance(user, User) or not isinstance(request, HttpRequest):
        return []
    shown: list[Section] = []
    for name, words, scope in SECTIONS:
        url = address(name)
        if url and user.has_scope(scope) and url not in {one.url for one in shown}:
            shown.append(Section(url, words, current=request.path.startswith(url)))
    return shown


def address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@register.filter
def roles(user: User) -> list[str]:
    """The names of the roles this person holds; a group that is no role goes by its own name."""
    labels = {role.value: str(role.label) for role in Role}
    return [labels.get(name, name) for name in user.groups.order_by("name").values_list("name", flat=True)]


@register.filter
def initials(user: User) -> str:
    """Two letters for the round badge: of the full name, else of the user name."""
    parts = user.get_full_name().split() or re.split(r"[\W_]+", user.get_username().partition("@")[0])
    return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else parts[0][1:2])).upper()
