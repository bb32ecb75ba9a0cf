"""API keys: made, found and revoked. A key is shown once; afterwards only its digest is known."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import KEY_SCOPES, ApiKey, Client, Scope
from moderation.statements import Columns, prepared

MARK: Final = "lp"  # lets secret scanners recognise a leaked key
SHAPE: Final = re.compile(rf"{MARK}_(?P<prefix>[0-9a-f]{{12}})_[\w-]{{43}}", re.ASCII)


KEY: Final = Columns.of(ApiKey)
CLIENT: Final = Columns.of(Client)
# Every request of a client begins with this.
FIND: Final = f"""
SELECT {KEY.sql("key")}, {CLIENT.sql("client")}
FROM moderation_apikey key JOIN moderation_client client ON client.id = key.client_id WHERE key.prefix = %s
"""  # noqa: S608 - the names of our own columns


class KeyRefused(Exception):
    """The key is unknown, expired or revoked. The sender is told no more than that."""

    def __init__(self) -> None:
        super().__init__(_("This API key is not valid. Ask your Loupe admin for a new one."))


class UngrantableScope(Exception):
    """A key never stands in for a person. Issue it with some of `moderation.models.KEY_SCOPES`."""


@dataclass(frozen=True, slots=True)
class Issued:
    key: ApiKey
    secret: str = field(repr=False)
    """Show it once and forget it."""


@transaction.atomic
def issue(client: Client, *, name: str, scopes: Collection[Scope], expires_at: datetime, actor: Actor) -> Issued:
    """Afterwards the secret opens what the scopes name, for this client's data alone, until `expires_at`.

    Raises UngrantableScope.
    """
    if not scopes or not KEY_SCOPES.issuperset(scopes):
        raise UngrantableScope(
            f"A key may carry {', '.join(sorted(KEY_SCOPES))}; asked for {', '.join(scopes) or 'none'}."
        )
    prefix = secrets.token_hex(6)
    secret = f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        client=client,
        name=name,
        prefix=prefix,
        digest=digest(secret),
        scopes=sorted(Scope(scope).value for scope in scopes),
        expires_at=expires_at,
    )
    data = {"client": client.slug, "name": name, "prefix": prefix, "scopes": key.scopes, "expires_at": expires_at}
    audit.record(audit.Entry(actor, "key.issued", subject(key), data))
    return Issued(key, secret)


def find(secret: str) -> ApiKey:
    """The live key with this secret, its client loaded along. Raises KeyRefused."""
    shape = SHAPE.fullmatch(secret)
    if shape is None:
        raise KeyRefused
    with prepared() as cursor:
        cursor.execute(FIND, [shape["prefix"]])
        row = cursor.fetchone()
    if row is None:
        raise KeyRefused
    key = KEY.load(row[: len(KEY)])
    key.client = CLIENT.load(row[len(KEY) :])
    if not constant_time_compare(key.digest, digest(secret)) or not key.is_live:
        raise KeyRefused
    return key


@transaction.atomic
def revoke(key: ApiKey, *, actor: Actor) -> None:
    """Afterwards the key opens nothing. Revoking again changes nothing."""
    now = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        key.revoked_at = now
        audit.record(audit.Entry(actor, "key.revoked", subject(key), {"name": key.name, "prefix": key.prefix}))


def digest(secret: str) -> str:
    """A fast hash is enough: the secret holds 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def subject(key: ApiKey) -> str:
    return f"key:{key.pk}"
