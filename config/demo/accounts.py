"""Demo accounts: one person a role, one client with a key, made at random once and kept in `demo.json`."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.utils import timezone

from moderation import keys, roles
from moderation.actors import Actor
from moderation.models import KEY_SCOPES, ApiKey, Client, User
from moderation.roles import Role
from review.wellness import choosing

ACTOR: Final = Actor.command("demo")
PREFIX: Final = "demo-"


@dataclass(frozen=True, slots=True)
class Logins:
    """What `demo.json` holds, for scripts and for the second run."""

    base_url: str
    api_key: str
    users: dict[str, dict[str, str]]


def prepare(path: Path, *, base_url: str) -> Logins:
    """Afterwards every login in the file works. What the file already says is kept, as far as it is still true."""
    roles.sync()
    kept = json.loads(path.read_text()) if path.exists() else {}
    users = {role.value: person(role, kept.get("users", {}).get(role.value, {})) for role in Role}
    logins = Logins(base_url, key(kept.get("api_key", "")), users)
    partial = path.with_suffix(".part")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        json.dump(asdict(logins), file, indent=2)
    partial.replace(path)
    return logins


def person(role: Role, kept: dict[str, str]) -> dict[str, str]:
    username = f"{PREFIX}{role.value}".replace("_", "-")
    user, _created = User.objects.get_or_create(username=username)
    password = kept.get("password", "")
    if not password or not user.check_password(password):
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save()
    roles.grant(user, role)
    if role in {Role.MODERATOR, Role.SENIOR}:  # S4 goes to volunteers only, and here is nobody else
        choosing.choose(user, comfort={}, avoided=[], volunteers=True)
    return {"username": username, "password": password}


def client() -> Client:
    return Client.objects.get_or_create(slug="demo", defaults={"name": "Demo studio"})[0]


def key(kept: str) -> str:
    """The kept key while it lives, else a new one."""
    try:
        if kept and keys.find(kept).client == client():
            return kept
    except keys.KeyRefused:
        pass
    expires = timezone.now() + timedelta(days=30)
    for old in ApiKey.objects.filter(client=client(), name="demo", revoked_at=None):
        keys.revoke(old, actor=ACTOR)
    return keys.issue(client(), name="demo", scopes=KEY_SCOPES, expires_at=expires, actor=ACTOR).secret
