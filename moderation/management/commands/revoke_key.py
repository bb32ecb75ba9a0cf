"""The end of a key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from moderation import keys
from moderation.actors import Actor
from moderation.models import ApiKey

ACTOR: Final = Actor.command("revoke_key")


class Command(BaseCommand):
    help = "Revoke an API key at once, by its prefix: the letters between lp_ and the next underscore."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix")

    def handle(self, *, prefix: str, **_options: Any) -> None:
        key = ApiKey.objects.filter(prefix=prefix).first()
        if key is None:
            raise CommandError(_("No key begins with lp_%(prefix)s_.") % {"prefix": prefix}, returncode=2)
        keys.revoke(key, actor=ACTOR)
        self.stdout.write(_("Revoked: %(key)s") % {"key": key})
