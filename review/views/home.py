"""The first page after signing in: each role's own work."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from moderation.models import Scope, User

# The first page a person's scopes open is theirs: the order says which work is a role's own.
FIRST_PAGES: Final[tuple[tuple[Scope, str], ...]] = (
    (Scope.REVIEW, "desk"),
    (Scope.POLICY, "policies"),
    (Scope.ML, "learning"),
    (Scope.AUDIT, "audit"),
    (Scope.POLICY_READ, "policies"),
)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Sends a person to their own page; somebody without a role is told whom to ask."""
    assert isinstance(request.user, User)
    for scope, name in FIRST_PAGES:
        if request.user.has_scope(scope) and (url := routed(name)):
            return redirect(url)
    admins = User.objects.filter(groups__name="admin", is_active=True).order_by("username")[:3]
    return render(request, "review/no_role.html", {"admins": admins})


def routed(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
