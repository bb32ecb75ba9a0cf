"""One permission for the whole API: the scope that the view names for the method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from moderation.api.actors import caller_of
from moderation.models import Scope

if TYPE_CHECKING:  # rest_framework.views loads this module
    from rest_framework.views import APIView


class ScopeRequired(BasePermission):
    """The view's `scopes` says which scope each method needs; a method it does not name is refused to everyone."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        who = caller_of(request)
        if who is None:
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in view.allowed_methods or method == "OPTIONS":
            return True  # the view answers 405, or says what it allows
        scopes: dict[str, Scope] = getattr(view, "scopes", {})
        return method in scopes and who.has_scope(scopes[method])
