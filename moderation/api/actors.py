"""From a request to the actor that the record will name."""

from __future__ import annotations

from typing import cast

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from moderation.actors import Actor
from moderation.api.authentication import KeyHolder
from moderation.models import Client, User


def caller_of(request: Request) -> KeyHolder | User | None:
    """Who is asking; None when nobody said. (Settings: UNAUTHENTICATED_USER is None.)"""
    return cast("KeyHolder | User | None", request.user)


def actor_of(request: Request) -> Actor:
    """The key or the person. Only for views behind `ScopeRequired`, where there always is one."""
    who = caller_of(request)
    if who is None:
        raise NotAuthenticated
    return Actor.key(who.key) if isinstance(who, KeyHolder) else Actor.person(who)


def client_of(request: Request) -> Client:
    """The client whose key this is. Raises PermissionDenied for a person: they send nothing in a client's name."""
    who = caller_of(request)
    if isinstance(who, KeyHolder):
        return who.client
    raise PermissionDenied(_("Only a client's API key may do this."))
