"""Who is asking: a client's key, or a person's session."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from moderation import keys
from moderation.models import ApiKey, Client, Scope


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Stands where a user would: whoever holds the key acts for its client, within its scopes."""

    key: ApiKey
    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> str:
        return f"key-{self.key.pk}"

    @property
    def client(self) -> Client:
        return self.key.client

    def has_scope(self, scope: Scope) -> bool:
        return scope.value in self.key.scopes


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        try:
            key = keys.find(secret.strip())
        except keys.KeyRefused as refused:
            raise AuthenticationFailed(str(refused)) from refused
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return f'{self.keyword} realm="loupe"'


class PersonAuthentication(SessionAuthentication):
    """A person's session; what changes something needs the CSRF token, as on the pages."""
