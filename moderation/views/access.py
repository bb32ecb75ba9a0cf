"""Who may open a page: a person who holds one of the scopes it names."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from moderation.models import Scope, User

P = ParamSpec("P")


class PersonRequest(HttpRequest):
    """A request whose sender has logged in."""

    if TYPE_CHECKING:
        user: User


def requires(
    *scopes: Scope,
) -> Callable[
    [Callable[Concatenate[PersonRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """Strangers are sent to the login; a person with none of these scopes gets 403 and is told what is missing."""

    def wrap(
        view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            person = cast(PersonRequest, request)
            if not any(person.user.has_scope(scope) for scope in scopes):
                raise PermissionDenied(
                    _("Your roles do not include “%(scope)s”. Ask an admin.") % {"scope": scopes[0].label}
                )
            return view(person, *args, **kwargs)

        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", guarded)

    return wrap
