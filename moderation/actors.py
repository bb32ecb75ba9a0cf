"""Who acts: a person, a key, or the house itself. Copied into the audit log as words, never as a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from moderation.models import ApiKey, User


@dataclass(frozen=True, slots=True)
class Actor:
    kind: str
    id: str
    label: str

    @classmethod
    def person(cls, user: User) -> Self:
        return cls("person", str(user.pk), user.get_username())

    @classmethod
    def key(cls, key: ApiKey) -> Self:
        return cls("key", str(key.pk), f"{key.client.slug}/{key.name}")

    @classmethod
    def command(cls, name: str) -> Self:
        return cls("command", name, name)

    @property
    def is_person(self) -> bool:
        return self.kind == "person"

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


TRIAGE = Actor("automation", "triage", "triage")
HOUSE = Actor("automation", "house", "house")
